"""A training job of SageMaker: its values, and the body of CreateTrainingJob that they make.

The debugger and its profiler are off: neither hook nor rules are asked for, and the profiler, which samples an instance
twice a second for Studio, is switched off where a region has it.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hbspec.targets.aws.ownership import JOB, tags_of
from hbspec.targets.aws.training_watch import TrainingWatch
from hbspec.targets.lowering.artifact import Artifact

CODE = "/opt/ml/input/data/code"
STARTER = "launch.sh"
CHECKPOINTS = "/opt/ml/checkpoints"
WITHOUT_PROFILER = frozenset({
    "ap-south-2", "ap-southeast-3", "ap-southeast-4", "eu-central-2", "eu-south-2", "me-central-1", "us-gov-east-1",
    "us-iso-east-1", "us-isob-east-1",
})  # fmt: skip
"""Regions whose API may refuse ProfilerConfig, by the SDK's `PROFILER_UNSUPPORTED_REGIONS`.
https://github.com/aws/sagemaker-python-sdk/blob/v2.232.0/src/sagemaker/fw_utils.py"""


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """All values of the request; `channels` are S3 prefixes by name, and `source` includes the starter script.

    Adapters leave the job packed into one archive; whole weights do not, as gzip would take longer than their upload.

    Attributes:
        streamed: the channels that are read in FastFile mode.
        retries: how often the service repeats the job after an internal error of its own.
        watch: what CloudWatch watches of it, if anything.
    """

    name: str
    role: str
    image: str
    region: str | None
    hyperparameters: Mapping[str, str]
    environment: Mapping[str, str]
    metrics: Mapping[str, str]
    channels: Mapping[str, str]
    streamed: frozenset[str]
    code: str
    output: str
    packed: bool
    checkpoints: str
    instance_type: str
    instances: int
    kms_key: str | None
    volume_gb: int | None
    keep_alive: int | None
    max_runtime: int
    max_wait: int | None
    retries: int | None
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    tags: Mapping[str, str]
    source: tuple[Artifact, ...]
    watch: TrainingWatch | None = None


def request(job: TrainingJob) -> dict[str, Any]:
    """The body of CreateTrainingJob, as taken by `aws sagemaker create-training-job --cli-input-json`."""
    body: dict[str, Any] = {
        "TrainingJobName": job.name,
        "RoleArn": job.role,
        "AlgorithmSpecification": {
            "TrainingImage": job.image,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/bash"],
            "ContainerArguments": [f"{CODE}/{STARTER}"],
            "MetricDefinitions": [{"Name": name, "Regex": regex} for name, regex in job.metrics.items()],
        },
        "HyperParameters": dict(job.hyperparameters),
        "InputDataConfig": [
            _channel(name, uri, streamed=name in job.streamed)
            for name, uri in (*job.channels.items(), ("code", job.code))
        ],
        "OutputDataConfig": {"S3OutputPath": job.output},
        "ResourceConfig": _resources(job),
        "StoppingCondition": {"MaxRuntimeInSeconds": job.max_runtime},
        "CheckpointConfig": {"S3Uri": job.checkpoints, "LocalPath": CHECKPOINTS},
    }
    if not job.packed:
        body["OutputDataConfig"]["CompressionType"] = "NONE"
    if job.kms_key is not None:
        body["OutputDataConfig"]["KmsKeyId"] = job.kms_key
    if job.max_wait is not None:
        body["EnableManagedSpotTraining"] = True
        body["StoppingCondition"]["MaxWaitTimeInSeconds"] = job.max_wait
    if job.retries is not None:
        body["RetryStrategy"] = {"MaximumRetryAttempts": job.retries}
    if job.region is not None and job.region not in WITHOUT_PROFILER:
        body["ProfilerConfig"] = {"DisableProfiler": True}
    if job.environment:
        body["Environment"] = dict(job.environment)
    if job.subnets:
        body["VpcConfig"] = {"SecurityGroupIds": list(job.security_groups), "Subnets": list(job.subnets)}
    return {**body, **tags_of({**job.tags, JOB: job.name})}


def _resources(job: TrainingJob) -> dict[str, Any]:
    """What is rented: instances, their volumes, and for how long they are kept."""
    resources: dict[str, Any] = {"InstanceType": job.instance_type, "InstanceCount": job.instances}
    if job.volume_gb is not None:
        resources["VolumeSizeInGB"] = job.volume_gb
        resources |= {"VolumeKmsKeyId": job.kms_key} if job.kms_key is not None else {}
    if job.keep_alive is not None:
        resources["KeepAlivePeriodInSeconds"] = job.keep_alive
    return resources


def _channel(name: str, uri: str, *, streamed: bool) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    mode = {"InputMode": "FastFile"} if streamed else {}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **mode}
