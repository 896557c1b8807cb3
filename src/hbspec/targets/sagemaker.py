"""Target `sagemaker`: the body of CreateTrainingJob, the source folder that it runs, and the script that submits it.

The container is started by a script of hbspec (`ContainerEntrypoint`) from a channel named `code`, as in SageMaker's
Python SDK 3: nothing then depends on how a framework's entry point treats hyperparameters, and the job's
HyperParameters are only the author's, and the bounds of the author's watches.

A job's name contains a digest of its content (`identity.py`), and its source and its checkpoints are in folders of that
name: the same job finds its checkpoints again, and no other job does.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from hbspec.analysis import Analysis
from hbspec.catalog.limits import DEFAULT_RUNTIME_SECONDS
from hbspec.estimators.job.storage import DEFAULT_VOLUME
from hbspec.plan.allocator import VARIABLE as ALLOCATOR
from hbspec.plan.training_job import author_name, folder, writes_whole_weights
from hbspec.spec import Spec
from hbspec.targets.aws.identity import digest
from hbspec.targets.aws.images import training_image
from hbspec.targets.aws.refusals import refused
from hbspec.targets.aws.submission import submission
from hbspec.targets.job.invocation import SAGEMAKER_HOSTS, Invocation, command, exports, refuse_names
from hbspec.targets.job.source_folder import SECRETS, SECRETS_BESIDE_OWN, refuse_name
from hbspec.targets.job.workload import Workload, workload
from hbspec.targets.lowering.artifact import Artifact, json_artifact, script_artifact
from hbspec.targets.lowering.needs import LoweringError, Needs
from hbspec.targets.lowering.shell import HERE, opening
from hbspec.targets.lowering.target import Target
from hbspec.units import GB

CODE = "/opt/ml/input/data/code"
STARTER = "launch.sh"
CHECKPOINTS = "/opt/ml/checkpoints"

INSTALLATION = (
    "# The container's first process is deaf to a signal that it does not ask for. A stop before training is orderly.",
    "trap 'echo \"stopped before training began\" >&2; kill ${pip:-} 2> /dev/null || true; exit 0' TERM",
    "if [ -f requirements.txt ]; then",
    "  python -m pip install --quiet --requirement requirements.txt & pip=$!",
    '  wait "$pip"',
    "fi",
)
"""https://man7.org/linux/man-pages/man7/pid_namespaces.7.html"""
CONTAINER = {
    "SM_MODEL_DIR": "/opt/ml/model",
    "SM_OUTPUT_DATA_DIR": "/opt/ml/output/data",
    "SM_CHANNEL_TRAIN": "/opt/ml/input/data/train",
    "SM_CHANNEL_VALIDATION": "/opt/ml/input/data/validation",
}
"""Variables that framework containers export for a script, so this entry point exports them too."""
MODEL = "model"
"""The channel of the base model's files, where the spec names a copy of them."""


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """All values of the request; `channels` are S3 prefixes by name, and `source` includes the starter script.

    Adapters leave the job packed into one archive; whole weights do not, as gzip would take longer than their upload.
    """

    name: str
    role: str
    image: str
    region: str | None
    hyperparameters: Mapping[str, str]
    environment: Mapping[str, str]
    metrics: Mapping[str, str]
    channels: Mapping[str, str]
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
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    tags: Mapping[str, str]
    source: tuple[Artifact, ...]


def lower(analysis: Analysis, target: str = "sagemaker") -> TrainingJob:
    """Choose the values of the request; `target` is the name for messages.

    Raises:
        LoweringError: the spec lacks a key that the request needs.
    """
    spec = analysis.spec
    account = spec.sagemaker
    needs = Needs(target)
    role = needs.take(account.role if account else None, ("sagemaker", "role"), "")
    output = needs.take(account.output if account else None, ("sagemaker", "output"), "")
    channels = _channels(spec, needs)
    instance_type = needs.take(spec.instance.type, ("instance", "type"), "")
    region, image = _image(spec, needs)
    work = workload(analysis, needs)
    name = author_name(spec)
    refuse_name(work.source, STARTER, "the script that the container starts")
    starter = script_artifact(STARTER, _launch(name, work.call, channels, _through(spec)))
    job = TrainingJob(
        name=name,
        role=role,
        image=image,
        region=region,
        hyperparameters=work.hyperparameters,
        environment=_environment(spec, work),
        metrics=work.metrics,
        channels=channels,
        code=folder((account and account.code) or output),
        output=folder(output),
        packed=not writes_whole_weights(spec),
        checkpoints=folder((account and account.checkpoints) or output),
        instance_type=instance_type,
        instances=spec.instance.count,
        kms_key=account.kms_key if account else None,
        volume_gb=_volume(analysis),
        keep_alive=_whole(spec.instance.keep_alive),
        max_runtime=round(spec.instance.max_runtime or DEFAULT_RUNTIME_SECONDS),
        max_wait=_whole(spec.instance.max_wait),
        subnets=account.vpc.subnets if account and account.vpc else (),
        security_groups=account.vpc.security_groups if account and account.vpc else (),
        tags=account.tags if account else {},
        source=(*work.source, starter),
    )
    return _named(job)


def _channels(spec: Spec, needs: Needs) -> dict[str, str]:
    """What the job reads besides its code, by channel."""
    train, validation = spec.data.train, spec.data.validation
    channels = {"train": needs.take(train.uri if train else None, ("data", "train", "uri"), "")}
    if validation and validation.uri:
        channels["validation"] = validation.uri
    if spec.model.source:
        channels[MODEL] = folder(spec.model.source)
    return channels


def _image(spec: Spec, needs: Needs) -> tuple[str | None, str]:
    """The region, and the container image: the author's, or the one that AWS publishes there."""
    region, own = spec.instance.region, spec.sagemaker.image if spec.sagemaker else None
    if own is not None:
        return region, own
    region = needs.take(region, ("instance", "region"), "")
    return region, needs.take(training_image(region), ("sagemaker", "image"), "") if region else ""


def _environment(spec: Spec, work: Workload) -> dict[str, str]:
    """The container's variables: the author's, after the hyperparameters of a script that reads them there."""
    reads = spec.script is not None and spec.script.reads == "environment"
    allocator = {ALLOCATOR: spec.software.allocator} if spec.software.allocator is not None else {}
    return {
        **(work.hyperparameters if reads else {}),
        **allocator,
        **(spec.sagemaker.environment if spec.sagemaker else {}),
    }


def _volume(analysis: Analysis) -> int | None:
    """Gigabytes of the volume; None where the instance has disks of its own."""
    instance = analysis.spec.instance
    row = analysis.catalog.instances.get(instance.type or "")
    return None if row and row.nvme_bytes else ceil((instance.volume or DEFAULT_VOLUME) / GB)


def _named(job: TrainingJob) -> TrainingJob:
    """The job with the digest in its name, and with its own folders below the shared prefixes."""
    name = f"{job.name}-{digest(request(job), job.source, job.region)}"
    return replace(job, name=name, code=f"{job.code}{name}/code/", checkpoints=f"{job.checkpoints}{name}/checkpoints/")


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds)


def emit(job: TrainingJob) -> list[Artifact]:
    """Write the files, after validating the body against the service's API model.

    Raises:
        LoweringError: the service would reject the body.
    """
    body = request(job)
    findings = refused("CreateTrainingJob", body, job.region)
    if findings:
        raise LoweringError(findings)
    source = [file._replace(path=f"source/{file.path}") for file in job.source]
    posted = json_artifact("create_training_job.json", body)
    script = submission(job.name, job.region, job.code, job.checkpoints, (posted, *source))
    return [posted, script_artifact("submit.sh", script), *source]


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
        "InputDataConfig": [_channel(name, uri) for name, uri in (*job.channels.items(), ("code", job.code))],
        "OutputDataConfig": {"S3OutputPath": job.output},
        "ResourceConfig": {"InstanceType": job.instance_type, "InstanceCount": job.instances},
        "StoppingCondition": {"MaxRuntimeInSeconds": job.max_runtime},
        "CheckpointConfig": {"S3Uri": job.checkpoints, "LocalPath": CHECKPOINTS},
    }
    if not job.packed:
        body["OutputDataConfig"]["CompressionType"] = "NONE"
    if job.kms_key is not None:
        body["OutputDataConfig"]["KmsKeyId"] = job.kms_key
    if job.volume_gb is not None:
        body["ResourceConfig"]["VolumeSizeInGB"] = job.volume_gb
        body["ResourceConfig"] |= {"VolumeKmsKeyId": job.kms_key} if job.kms_key is not None else {}
    if job.keep_alive is not None:
        body["ResourceConfig"]["KeepAlivePeriodInSeconds"] = job.keep_alive
    if job.max_wait is not None:
        body["EnableManagedSpotTraining"] = True
        body["StoppingCondition"]["MaxWaitTimeInSeconds"] = job.max_wait
    if job.environment:
        body["Environment"] = dict(job.environment)
    if job.subnets:
        body["VpcConfig"] = {"SecurityGroupIds": list(job.security_groups), "Subnets": list(job.subnets)}
    if job.tags:
        body["Tags"] = [{"Key": key, "Value": value} for key, value in job.tags.items()]
    return body


def _channel(name: str, uri: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def _through(spec: Spec) -> list[str]:
    """The program that reads the job's secrets and starts the rest; none where there are none."""
    secrets = spec.sagemaker.secrets if spec.sagemaker else {}
    if not secrets:
        return []
    refuse_names(secrets, ("sagemaker", "secrets"))
    program = SECRETS if spec.script is None else SECRETS_BESIDE_OWN
    return ["python", program, *(f"{name}={secret}" for name, secret in secrets.items()), "--"]


def _launch(name: str, call: Invocation, channels: Mapping[str, str], through: Sequence[str]) -> list[str]:
    base = {"SM_CHANNEL_MODEL": f"/opt/ml/input/data/{MODEL}"} if MODEL in channels else {}
    return [
        *opening(f"{name}: written by hbspec; SageMaker runs it as the container's entry point."),
        f"cd -- {HERE}",
        *(f"export {name}={value}" for name, value in (CONTAINER | base).items()),
        *exports(call),
        *INSTALLATION,
        *command(call, hosts=SAGEMAKER_HOSTS, through=through),
    ]


TARGET = Target(
    "sagemaker",
    "the body of CreateTrainingJob and the source folder that it runs",
    lower,
    emit,
    "submit.sh",
    trains=True,
)
