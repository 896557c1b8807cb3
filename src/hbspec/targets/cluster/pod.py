"""What the pods of a job have in every cluster of Kubernetes: one volume, what they are told, and who creates them.

A pod reads the compiled folder and its data from the volume, and writes the job's own folder there, so that pods that
are started again go on from the checkpoint. The names of the volume and of the image are the cluster's: `submit.sh`
asks for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any, NamedTuple

from hbspec.analysis import Analysis
from hbspec.targets.cluster.job_name import job_name
from hbspec.targets.cluster.of_sagemaker import refuse_of_sagemaker, secrets
from hbspec.targets.job.workload import Workload, workload
from hbspec.targets.lowering.needs import Needs
from hbspec.targets.lowering.shell import HERE, opening

VOLUME, MOUNT = "hbspec", "/opt/hbspec"
SHARED = "shared-memory"
"""Through it NCCL joins the GPUs of a node; without this volume a container has 64 MiB of it.
https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/troubleshooting.html#shared-memory"""
CLAIM, IMAGE = "CLAIM-OF-THE-CLUSTER", "IMAGE-OF-THE-CLUSTER"
"""What stands in the file until `submit.sh` is told."""
QUEUE = "kueue.x-k8s.io/queue-name"
"""The label by which Kueue knows the job's queue. https://kueue.sigs.k8s.io/docs/concepts/workload/#queue-name"""
GPU = "nvidia.com/gpu"
"""The resource of NVIDIA's device plugin."""


class Pods(NamedTuple):
    """What the pods of a job have in common, whoever starts them.

    Attributes:
        name: of the job, with its digest.
        own_script: whether the author's own script runs.
        validates: whether a folder of validation data is read.
        base: whether the base model's files are read from the volume.
        workload: what runs.
        gpus: of each pod.
        seconds: from the start, after which the job is stopped, all starts of its pods together.
        secrets: keys of the Secret of the job's name.
    """

    name: str
    own_script: bool
    validates: bool
    base: bool
    workload: Workload
    gpus: int
    seconds: int
    secrets: tuple[str, ...]


def pods(analysis: Analysis, needs: Needs) -> Pods:
    """The pods of a spec, one on each node.

    Raises:
        LoweringError: the spec has no time limit or no weights, says what no cluster has a word for, or its script
            cannot be copied.
    """
    spec = analysis.spec
    section, data = spec.instance, spec.data
    seconds = needs.take(section.max_runtime, ("instance", "max_runtime"), 0.0)
    refuse_of_sagemaker(needs, spec)
    for name, reason in (("spot", "a cluster has the nodes that it has"), ("volume", "the volume is the cluster's")):
        needs.leave_out(getattr(section, name), ("instance", name), reason, f"leave {name} out")
    work = workload(analysis, needs)
    return Pods(
        name=job_name(analysis, work),
        own_script=spec.script is not None,
        validates=data.validation is not None and data.validation.share is None,
        base=spec.model.source is not None,
        workload=work,
        gpus=analysis.plan.require("hardware").gpus_per_instance,
        seconds=ceil(seconds),
        secrets=secrets(spec),
    )


def about(job: Pods) -> str:
    """The first line of the file that is submitted."""
    return f"{job.name}: written by hbspec. submit.sh puts the names of the claim and of the image in, and creates it."


def submission(job: Pods, file: str, kind: str, image: str) -> Iterator[str]:
    """The lines of `submit.sh`.

    Args:
        job: the pods.
        file: that is submitted.
        kind: of the resource in it.
        image: what the image has, a noun phrase.
    """
    yield from opening(
        f"{job.name}: creates the {kind}; written by hbspec.",
        "# CLAIM is a PersistentVolumeClaim, which all nodes can mount. It holds this folder under the job's name, the",
        "# data under data/train and data/validation, and in base-model the model's files where model.source is set.",
        f"# IMAGE has {image}.",
        "# QUEUE is the queue of Kueue that the job waits in, where the cluster has queues. Arguments go to kubectl.",
    )
    yield f"cd -- {HERE}"
    yield "claim=${CLAIM:?is the PersistentVolumeClaim of the job} image=${IMAGE:?is the image of its containers}"
    yield 'for word in "$claim" "$image" "${QUEUE:-}"; do'
    yield "  case $word in *[!A-Za-z0-9._:/@-]*)"
    yield '    echo "$word: not the name of a claim, an image or a queue" >&2'
    yield "    exit 2 ;;"
    yield "  esac"
    yield "done"
    if job.secrets:
        keys = " ".join(job.secrets)
        yield f'echo "the job reads {keys} from the Secret {job.name}, which has to be there" >&2'
    yield f"labels=${{QUEUE:+{QUEUE}: $QUEUE}}"
    yield (
        f'sed "s|{CLAIM}|$claim|; s|{IMAGE}|$image|; s|labels: {{}}|labels: {{$labels}}|" {file} '
        '| kubectl create "$@" --filename -'
    )


def metadata(job: Pods) -> dict[str, Any]:
    """The name of the resource, and the place of its label."""
    return {"name": job.name, "labels": {}}


def command(job: Pods, script: str) -> list[str]:
    """What a pod runs: a script of the compiled folder."""
    return ["bash", f"{MOUNT}/{job.name}/{script}"]


def environment(job: Pods, more: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """The variables of a container: the folders by SageMaker's names, which the author's own script may read, too."""
    data = {"SM_CHANNEL_TRAIN": f"{MOUNT}/data/train"}
    data |= {"SM_CHANNEL_VALIDATION": f"{MOUNT}/data/validation"} if job.validates else {}
    data |= {"SM_CHANNEL_MODEL": f"{MOUNT}/base-model"} if job.base else {}
    run = f"{MOUNT}/runs/{job.name}"
    told = {"RUN_DIR": run, **data, "SM_MODEL_DIR": f"{run}/model", "SM_OUTPUT_DATA_DIR": f"{run}/output"}
    told |= more or {}
    return [
        *({"name": name, "value": value} for name, value in told.items()),
        *({"name": name, "valueFrom": {"secretKeyRef": {"name": job.name, "key": name}}} for name in job.secrets),
    ]


def volumes() -> list[dict[str, Any]]:
    """The volumes of a pod."""
    return [
        {"name": VOLUME, "persistentVolumeClaim": {"claimName": CLAIM}},
        {"name": SHARED, "emptyDir": {"medium": "Memory"}},
    ]


def mounts() -> list[dict[str, str]]:
    """Where a container finds them."""
    return [
        {"name": VOLUME, "mountPath": MOUNT},
        {"name": SHARED, "mountPath": "/dev/shm"},  # noqa: S108 - a mount of the container's own
    ]
