"""Target `sagemaker`: the body of CreateTrainingJob, its alarms, the source folder that it runs, and its submission.

The container is started by a script of hbspec (`ContainerEntrypoint`) from a channel named `code`, as in SageMaker's
Python SDK 3: nothing then depends on how a framework's entry point treats hyperparameters, and the job's
HyperParameters are only the author's, and the bounds of the author's watches.

A job's name contains a digest of its content (`identity.py`), and its source and its checkpoints are in folders of that
name: the same job finds its checkpoints again, and no other job does.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil

from hbspec.analysis import Analysis
from hbspec.catalog.limits import DEFAULT_RUNTIME_SECONDS
from hbspec.estimators.job.storage import DEFAULT_VOLUME
from hbspec.plan.allocator import VARIABLE as ALLOCATOR
from hbspec.plan.training_job import IN_S3, author_name, folder, writes_whole_weights
from hbspec.spec import Spec
from hbspec.targets.aws.identity import digest
from hbspec.targets.aws.images import training_image
from hbspec.targets.aws.operations import OPERATIONS
from hbspec.targets.aws.refusals import accepted, refused
from hbspec.targets.aws.submission import submission
from hbspec.targets.aws.training_dashboard import watch_bodies
from hbspec.targets.aws.training_job import STARTER, TrainingJob, request
from hbspec.targets.aws.training_watch import training_watch
from hbspec.targets.job.invocation import SAGEMAKER_HOSTS, Invocation, command, exports, refuse_names
from hbspec.targets.job.source_folder import SECRETS, SECRETS_BESIDE_OWN, refuse_name
from hbspec.targets.job.workload import Workload, workload
from hbspec.targets.lowering.artifact import Artifact, json_artifact, script_artifact
from hbspec.targets.lowering.needs import LoweringError, Needs
from hbspec.targets.lowering.shell import HERE, opening
from hbspec.targets.lowering.target import Target
from hbspec.units import GB

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
MODEL, ADAPTER = "model", "adapter"
"""Channels of the base model's files and of adapters to go on from, where the spec names a copy of them."""
STREAMED = frozenset({"train", "validation"})
"""Channels that FastFile mode is for; the model and the code are read in no order, and more than once."""


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
        streamed=STREAMED if spec.data.input_mode == "FastFile" else frozenset(),
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
        retries=spec.instance.retries,
        subnets=account.vpc.subnets if account and account.vpc else (),
        security_groups=account.vpc.security_groups if account and account.vpc else (),
        tags=account.tags if account else {},
        source=(*work.source, starter),
    )
    return _named(job, analysis)


def _channels(spec: Spec, needs: Needs) -> dict[str, str]:
    """What the job reads besides its code, by channel."""
    train, validation = spec.data.train, spec.data.validation
    channels = {"train": needs.take(train.uri if train else None, ("data", "train", "uri"), "")}
    if validation and validation.uri:
        channels["validation"] = validation.uri
    if spec.model.source:
        channels[MODEL] = folder(spec.model.source)
    if spec.shipped and (spec.model.adapter or "").startswith(IN_S3):
        channels[ADAPTER] = folder(str(spec.model.adapter))
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


def _named(job: TrainingJob, analysis: Analysis) -> TrainingJob:
    """The job with the digest in its name, with its own folders below the shared prefixes, and with its watch."""
    name = f"{job.name}-{digest(request(job), job.source, job.region)}"
    code, checkpoints = f"{job.code}{name}/code/", f"{job.checkpoints}{name}/checkpoints/"
    monitoring = analysis.spec.monitoring
    watch = training_watch(analysis, name, job.role, job.metrics) if monitoring and monitoring.alarms else None
    return replace(job, name=name, code=code, checkpoints=checkpoints, watch=watch)


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
    watched = _watched(job)
    told = {name: OPERATIONS[name.removesuffix(".json")] for name in (file.path for file in watched)}
    script = submission(job.name, job.region, job.code, job.checkpoints, (posted, *watched, *source), told)
    return [posted, *watched, script_artifact("submit.sh", script), *source]


def _watched(job: TrainingJob) -> list[Artifact]:
    """The requests that make the alarms and the dashboard of a job, in the order of sending.

    Raises:
        LoweringError: CloudWatch would reject one.
    """
    if job.watch is None:
        return []
    bodies = accepted(watch_bodies(job.watch), job.region)
    return [json_artifact(f"{name}.json", body) for name, body in bodies.items()]


def _through(spec: Spec) -> list[str]:
    """The program that reads the job's secrets and starts the rest; none where there are none."""
    secrets = spec.sagemaker.secrets if spec.sagemaker else {}
    if not secrets:
        return []
    refuse_names(secrets, ("sagemaker", "secrets"))
    program = SECRETS if spec.script is None else SECRETS_BESIDE_OWN
    return ["python", program, *(f"{name}={secret}" for name, secret in secrets.items()), "--"]


def _launch(name: str, call: Invocation, channels: Mapping[str, str], through: Sequence[str]) -> list[str]:
    read = (name for name in (MODEL, ADAPTER) if name in channels)
    base = {f"SM_CHANNEL_{name.upper()}": f"/opt/ml/input/data/{name}" for name in read}
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
