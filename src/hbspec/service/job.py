"""A compiled training job as it is submitted: its request, and the files that it runs."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from hbspec.api import Compilation
from hbspec.targets.aws.operations import OPERATIONS
from hbspec.targets.aws.training_watch import of_attempt
from hbspec.targets.lowering.artifact import Artifact

REQUEST, SOURCE = "create_training_job.json", "source/"


class WatchRequest(NamedTuple):
    """A request that makes an alarm or the dashboard of a job: the operation, and the text of its body."""

    operation: str
    text: str

    def of(self, job: str, attempt: str) -> dict[str, Any]:
        """The body for an attempt at a job."""
        text = self.text
        for old, new in of_attempt(job, attempt):
            text = text.replace(old, new)
        body: dict[str, Any] = json.loads(text)
        return body


class SubmittedJob(NamedTuple):
    """What `hbspec compile --target sagemaker` writes, in memory.

    Attributes:
        name: the job's name, which is that of its first attempt.
        region: AWS region; None for the default of boto3.
        request: the body of CreateTrainingJob.
        source: the files of the code channel, by their path below it.
        watched: the requests to CloudWatch, as they were compiled.
        bucket: the bucket of the code channel.
        prefix: the keys' prefix there, with its final slash.
    """

    name: str
    region: str | None
    request: dict[str, Any]
    source: tuple[Artifact, ...]
    bucket: str
    prefix: str
    watched: tuple[WatchRequest, ...] = ()

    @property
    def checkpoints(self) -> str:
        """The S3 folder that every attempt continues from."""
        return str(self.request["CheckpointConfig"]["S3Uri"])

    @property
    def code(self) -> str:
        """The S3 folder of the source."""
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def alarms(self) -> tuple[str, ...]:
        """The names of the job's alarms."""
        bodies = (one.of(self.name, self.name) for one in self.watched if one.operation == "PutMetricAlarm")
        return tuple(body["AlarmName"] for body in bodies)

    def attempt(self, name: str) -> dict[str, Any]:
        """The request of an attempt of this name."""
        return self.request | {"TrainingJobName": name}


def submitted_job(compiled: Compilation) -> SubmittedJob:
    """The job of a spec that was compiled for SageMaker."""
    files = {file.path: file for file in compiled.artifacts}
    request = json.loads(files[REQUEST].content)
    channels = {channel["ChannelName"]: channel["DataSource"]["S3DataSource"] for channel in request["InputDataConfig"]}
    bucket, _, prefix = channels["code"]["S3Uri"].removeprefix("s3://").partition("/")
    source = tuple(
        file._replace(path=path.removeprefix(SOURCE)) for path, file in files.items() if path.startswith(SOURCE)
    )
    watched = tuple(
        WatchRequest(operation, files[f"{name}.json"].content.decode())
        for name, operation in OPERATIONS.items()
        if f"{name}.json" in files
    )
    name = request["TrainingJobName"]
    return SubmittedJob(name, compiled.spec.instance.region, request, source, bucket, prefix, watched)
