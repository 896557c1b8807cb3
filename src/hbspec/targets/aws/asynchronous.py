"""An endpoint that answers later: requests wait in a queue, and answers are written to S3.

Such an endpoint takes no other requests (InvokeEndpoint). A request may take an hour, if it says so: the service's
default is 15 minutes. The execution role needs `s3:GetObject` and `s3:PutObject` below the output, `s3:PutObject` below
the failures, and `sns:Publish` on the topics.
https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-create-endpoint-prerequisites.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Any

from hbspec.analysis import Analysis
from hbspec.catalog.limits import MAX_ASYNCHRONOUS_SECONDS
from hbspec.plan.training_job import folder
from hbspec.targets.aws.first_request import FILE
from hbspec.targets.aws.submission import region_option

REQUESTS = "requests/"
"""Where the first request is put, below the output."""


@dataclass(frozen=True, slots=True)
class Asynchronous:
    """Members of CreateEndpointConfig's AsyncInferenceConfig.

    Attributes:
        output: the prefix of the answers.
        failures: the prefix of what the model refuses; None to keep none.
        topics: topics of Amazon SNS, by the member that names them.
        concurrent: requests that an instance is sent at once.
        key: the key of AWS KMS that encrypts the answers.
    """

    output: str
    failures: str | None
    topics: Mapping[str, str]
    concurrent: int
    key: str | None

    def body(self) -> dict[str, Any]:
        """The members."""
        output: dict[str, Any] = {"S3OutputPath": self.output}
        if self.failures:
            output["S3FailurePath"] = self.failures
        if self.key:
            output["KmsKeyId"] = self.key
        if self.topics:
            output["NotificationConfig"] = dict(self.topics)
        client = {"MaxConcurrentInvocationsPerInstance": self.concurrent}
        return {"AsyncInferenceConfig": {"ClientConfig": client, "OutputConfig": output}}

    def commands(self, endpoint: str, at: str) -> Sequence[str]:
        """The commands that put the first request into S3 and send it; their words are quoted already.

        Args:
            endpoint: its name.
            at: the option `--region`, with a space before it.
        """
        place = quote(f"{self.output}{REQUESTS}{FILE}")
        return (
            f"aws s3 cp{at} {FILE} {place}",
            f"aws sagemaker-runtime invoke-endpoint-async{at} --endpoint-name {endpoint} --content-type "
            f"application/json --invocation-timeout-seconds {MAX_ASYNCHRONOUS_SECONDS} --input-location {place}",
        )


def asynchronous(analysis: Analysis, concurrency: int) -> Asynchronous | None:
    """What the spec says of it; None for an endpoint that answers at once."""
    section, account = analysis.spec.deployment, analysis.spec.sagemaker
    given = section.async_inference if section else None
    if given is None:
        return None
    topics = {"SuccessTopic": given.success_topic, "ErrorTopic": given.error_topic}
    return Asynchronous(
        output=folder(given.output),
        failures=folder(given.failures) if given.failures else None,
        topics={name: topic for name, topic in topics.items() if topic},
        concurrent=concurrency,
        key=account.kms_key if account else None,
    )


def asynchronous_invocation(queue: Asynchronous, endpoint: str, region: str | None) -> Sequence[str]:
    """Shell lines that tell how to send the first request, and where its answer is."""
    commands = queue.commands(quote(endpoint), region_option(region))
    return (
        'echo "The endpoint answers in S3, at the OutputLocation that it says:"',
        """echo "  cd -- '$PWD'\"""",
        *(f"echo {quote(f'  {command}')}" for command in commands),
    )
