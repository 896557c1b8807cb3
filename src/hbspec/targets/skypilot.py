"""Target `skypilot`: a task that SkyPilot runs as a managed job, on the spec's EC2 type or wherever its GPUs are found.

The folder goes to each machine as `workdir`; the data are copied from S3, and the bucket of the checkpoints is mounted
with a cache, since training renames what it writes and a plain mount of S3 cannot. A job whose machines are taken away
is recovered by SkyPilot, and goes on from its checkpoint. All its starts together have `instance.max_runtime`.
https://docs.skypilot.co/en/latest/reference/yaml-spec.html
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from shlex import quote
from typing import Any, NamedTuple

from hbspec.analysis import Analysis
from hbspec.plan.training_job import IN_S3, bucket, folder
from hbspec.source.written import yaml_text
from hbspec.targets.cluster.job_name import job_name
from hbspec.targets.cluster.machine_script import MACHINE, STOPPED, Limit, machine_script
from hbspec.targets.cluster.of_sagemaker import refuse_of_sagemaker, secrets
from hbspec.targets.job.workload import Workload, workload
from hbspec.targets.lowering.artifact import Artifact, json_artifact, script_artifact
from hbspec.targets.lowering.needs import Needs
from hbspec.targets.lowering.shell import HERE, opening
from hbspec.targets.lowering.target import Target
from hbspec.units import GB

TASK = "task.yaml"
DATA, BUCKET = "/opt/ml/input/data", "/opt/ml/bucket"
"""Where the machines find the data, as at SageMaker, and the bucket that the job writes to."""
HOSTS = (
    "node_rank=${SKYPILOT_NODE_RANK:?is the number of this machine}",
    'master_addr=$(sed -n 1p <<< "${SKYPILOT_NODE_IPS:?are the addresses of the machines}")',
)
"""https://docs.skypilot.co/en/latest/running-jobs/distributed-jobs.html"""
PORT = "7777"
NOTED_EVERY = 60
"""Seconds between two notes of the time that is used up, each of which is uploaded."""
SUBMITTED = "SUBMITTED"
"""The variable with the second of the submission."""
ACCELERATORS = {
    "A100-40": "A100", "A100-80": "A100-80GB", "A10": "A10", "A10G": "A10G", "B200": "B200", "B300": "B300",
    "H100-80": "H100", "H200-141": "H200", "L4": "L4", "L40": "L40", "L40S": "L40S", "T4": "T4", "V100-16": "V100",
    "V100-32": "V100-32GB", "A40": "A40", "RTX A5000": "RTXA5000", "RTX A6000": "RTXA6000", "RTX 3090": "RTX3090",
    "RTX 4090": "RTX4090", "RTX 5090": "RTX5090", "RTX 6000 Ada": "RTX6000-Ada", "GB200": "GB200",
}  # fmt: skip
"""SkyPilot's name of each GPU of the catalog (`sky show-gpus`)."""


class Task(NamedTuple):
    """What the files are written from.

    Attributes:
        name: of the job, with its digest.
        own_script: whether the author's own script runs.
        resources: of each machine, as SkyPilot spells them.
        mounts: what is copied to the machines, by place: `train`, `validation`, `model`.
        bucket: that the job writes to.
        prefix: of the job's own folder there.
        seconds: of all starts together.
        wait: seconds from the submission, after which the job is stopped or not started any more; None without such.
        secrets: variables whose values are given when the job is launched.
    """

    name: str
    own_script: bool
    workload: Workload
    resources: dict[str, Any]
    mounts: dict[str, str]
    bucket: str
    prefix: str
    seconds: int
    wait: int | None
    secrets: tuple[str, ...]


def lower(analysis: Analysis) -> Task:
    """Choose the task's values.

    Raises:
        LoweringError: a key is missing, such as the time limit or a prefix in S3 for the checkpoints; the hardware has
            no name at SkyPilot; or the script cannot be copied.
    """
    spec, needs = analysis.spec, Needs("skypilot")
    account = spec.sagemaker
    seconds = needs.take(spec.instance.max_runtime, ("instance", "max_runtime"), 0.0)
    kept = (account.checkpoints or account.output) if account else None
    route = ("sagemaker", "checkpoints" if account and account.checkpoints else "output")
    place = needs.take(kept, route, IN_S3, "name an S3 prefix below which the job gets its own folder")
    written = bucket(place)
    wanted = "mounts a bucket of S3, and this names none"
    needs.leave_out(
        kept is not None and (written is None or not place.startswith(IN_S3)),
        route,
        f"it {wanted}",
        "name an S3 prefix",
    )
    refuse_of_sagemaker(needs, spec)
    resources = _resources(analysis, needs)
    mounts = _mounts(analysis, needs)
    work = workload(analysis, needs)
    name = job_name(analysis, work)
    return Task(
        name=name,
        own_script=spec.script is not None,
        workload=work,
        resources=resources,
        mounts=mounts,
        bucket=written or "",
        prefix=folder(place).removeprefix(f"{IN_S3}{written}/") + name,
        seconds=ceil(seconds),
        wait=None if spec.instance.max_wait is None else ceil(spec.instance.max_wait),
        secrets=secrets(spec),
    )


def _mounts(analysis: Analysis, needs: Needs) -> dict[str, str]:
    """S3 prefixes by place. A split that another key makes has none."""
    data = analysis.spec.data
    named = {"train": needs.take(data.train.uri if data.train else None, ("data", "train", "uri"), IN_S3)}
    routes: dict[str, tuple[str, ...]] = {"train": ("data", "train", "uri")}
    if data.validation and data.validation.uri:
        named["validation"], routes["validation"] = data.validation.uri, ("data", "validation", "uri")
    if analysis.spec.model.source:
        named["model"], routes["model"] = analysis.spec.model.source, ("model", "source")
    for name, uri in named.items():
        needs.leave_out(not uri.startswith(IN_S3), routes[name], f"{uri} is not in S3", "upload it to S3")
    return {name: folder(uri) for name, uri in named.items()}


def _resources(analysis: Analysis, needs: Needs) -> dict[str, Any]:
    """What is asked for each machine: a type of EC2, or GPUs anywhere."""
    section = analysis.spec.instance
    asked: dict[str, Any] = {}
    if section.type is not None:
        asked["infra"] = f"aws/{section.region}" if section.region else "aws"
        asked["instance_type"] = section.type.removeprefix("ml.")
    elif analysis.plan.hardware is not None:
        machine = analysis.plan.hardware
        named = ACCELERATORS.get(machine.gpu.name, "")
        needs.leave_out(not named, ("instance", "gpu"), f"it has no name for {machine.gpu.name}", "name another GPU")
        asked["accelerators"] = {named: machine.gpus_per_instance}
        if section.host_memory is not None:
            asked["memory"] = f"{ceil(section.host_memory / GB)}+"
    if section.volume is not None:
        asked["disk_size"] = ceil(section.volume / GB)
    asked["use_spot"] = section.spot
    recovery = {"max_restarts_on_errors": section.retries} if section.retries else {}
    asked["job_recovery"] = {**recovery, "recover_on_exit_codes": [STOPPED]}
    return asked


def emit(task: Task) -> list[Artifact]:
    """Write the files of the folder."""
    work = task.workload
    limit = Limit(task.seconds, "${SKYPILOT_TASK_ID##*/}", NOTED_EVERY)
    machine = machine_script(task.name, work, HOSTS, own_script=task.own_script, port=PORT, limit=limit)
    return [
        script_artifact("submit.sh", [*_submission(task)]),
        Artifact(TASK, _task(task).encode()),
        script_artifact(MACHINE, machine),
        json_artifact("hyperparameters.json", dict(work.hyperparameters)),
        *(file._replace(path=f"source/{file.path}") for file in work.source),
    ]


def _submission(task: Task) -> Iterator[str]:
    yield from opening(
        f"{task.name}: launches the training with SkyPilot; written by hbspec.",
        "# Further arguments go to `sky jobs launch`. SkyPilot's own price list decides what the machines cost.",
    )
    yield f"cd -- {HERE}"
    yield from (f': "${{{name}:?is a secret of the job: set it in this environment}}"' for name in task.secrets)
    given = "".join(f" --secret {name}" for name in task.secrets)
    given += "" if task.wait is None else f' --env {SUBMITTED}="$(date +%s)"'
    yield f'exec sky jobs launch --name {task.name}{given} "$@" {TASK}'


def _task(task: Task) -> str:
    values: dict[str, Any] = {
        "name": task.name,
        "resources": task.resources,
        "num_nodes": task.workload.call.instances,
        "workdir": ".",
        "file_mounts": {
            **{f"{DATA}/{name}": uri for name, uri in task.mounts.items()},
            BUCKET: {"source": f"{IN_S3}{task.bucket}", "mode": "MOUNT_CACHED"},
        },
        **({"envs": {SUBMITTED: None}} if task.wait is not None else {}),
        **({"secrets": dict.fromkeys(task.secrets)} if task.secrets else {}),
        "setup": _setup(task),
        "run": "\n".join([*_run(task)]) + "\n",
    }
    about = f"{task.name}: written by hbspec. submit.sh launches it from this folder."
    return yaml_text(values, about, f"The job's own folder is {IN_S3}{task.bucket}/{task.prefix}/.")


def _setup(task: Task) -> str:
    lines = ["set -euo pipefail"]
    if any(file.path == "requirements.txt" for file in task.workload.source):
        lines.append("python -m pip install --quiet --requirement source/requirements.txt")
    return "\n".join(lines) + "\n"


def _run(task: Task) -> Iterator[str]:
    """What each machine runs. The folders have SageMaker's variables, which the author's own script may read, too."""
    yield "set -euo pipefail"
    yield f"export RUN_DIR={BUCKET}/{quote(task.prefix)}"
    yield from (f"export SM_CHANNEL_{name.upper()}={DATA}/{name}" for name in task.mounts)
    yield 'export SM_MODEL_DIR="$RUN_DIR/model" SM_OUTPUT_DATA_DIR="$RUN_DIR/output"'
    if task.wait is None:
        yield f"exec ./{MACHINE}"
        return
    yield f"left=$(({task.wait} - $(date +%s) + {SUBMITTED}))  # of max_wait, all waiting and running together"
    yield 'if ((left <= 0)); then echo "max_wait is over: the job is not started again" >&2; exit 1; fi'
    yield f'exec timeout --foreground --signal=TERM --kill-after=180 "$left" ./{MACHINE}'


TARGET = Target(
    "skypilot",
    "a task that SkyPilot launches as a managed job, on the spec's type or wherever its GPUs are",
    lower,
    emit,
    "submit.sh",
    trains=True,
)
