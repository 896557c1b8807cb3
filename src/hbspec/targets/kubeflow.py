"""Target `kubeflow`: a TrainJob of Kubeflow Trainer 2, which runs the same training on the nodes of a cluster.

The job reads the compiled folder and its data from one volume, and writes its own folder there, so that pods that are
started again go on from the checkpoint. The names of the volume and of the image are the cluster's: `submit.sh` asks
for them. A node's script is `launch.sh`, which starts the ranks by itself: of the runtime's variables it reads only the
pod's number and the first pod's address.
https://www.kubeflow.org/docs/components/trainer/
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any, NamedTuple

from hbspec.analysis import Analysis
from hbspec.source.written import yaml_text
from hbspec.targets.cluster.job_name import job_name
from hbspec.targets.cluster.machine_script import MACHINE, machine_script
from hbspec.targets.cluster.of_sagemaker import refuse_of_sagemaker, secrets
from hbspec.targets.job.workload import Workload, workload
from hbspec.targets.lowering.artifact import Artifact, json_artifact, script_artifact
from hbspec.targets.lowering.needs import Needs
from hbspec.targets.lowering.shell import HERE, opening
from hbspec.targets.lowering.target import Target

JOB = "trainjob.yaml"
VOLUME, MOUNT = "hbspec", "/opt/hbspec"
RUNTIME = "torch-distributed"
"""The ClusterTrainingRuntime that Kubeflow Trainer installs for PyTorch; its job and its container are `node`."""
CLAIM, IMAGE = "CLAIM-OF-THE-CLUSTER", "IMAGE-OF-THE-CLUSTER"
"""What stands in the file until `submit.sh` is told."""
HOSTS = (
    "node_rank=${PET_NODE_RANK:?is the number of this machine}",
    "master_addr=${PET_MASTER_ADDR:?is the address of the first machine}",
)
"""The variables of the torch runtime (kubeflow/trainer, `pkg/constants/constants.go`)."""
PORT = "${PET_MASTER_PORT:-29400}"
GRACE = 180
"""Seconds from SIGTERM to SIGKILL: the launcher's 115, and the time of the pod to end."""
MANAGER = "hbspec/compile"


class PodJob(NamedTuple):
    """What the files are written from.

    Attributes:
        name: of the job, with its digest.
        own_script: whether the author's own script runs.
        validates: whether a folder of validation data is read.
        base: whether the base model's files are read from the volume.
        gpus: of each node.
        memory: bytes of each node that are asked for; None where the spec does not say.
        seconds: from the start, after which the job is stopped, all starts of its pods together.
        secrets: keys of the Secret of the job's name.
    """

    name: str
    own_script: bool
    validates: bool
    base: bool
    workload: Workload
    gpus: int
    memory: int | None
    seconds: int
    secrets: tuple[str, ...]


def lower(analysis: Analysis) -> PodJob:
    """Choose the values of the TrainJob.

    Raises:
        LoweringError: the spec has no time limit or no weights, says what a TrainJob cannot, or its script cannot be
            copied.
    """
    spec, needs = analysis.spec, Needs("kubeflow")
    section, data = spec.instance, spec.data
    seconds = needs.take(section.max_runtime, ("instance", "max_runtime"), 0.0)
    refuse_of_sagemaker(needs, spec)
    for name, reason in (
        ("spot", "a cluster has the nodes that it has"),
        ("retries", "the runtime says how often pods are started again"),
        ("volume", "the volume is the cluster's"),
    ):
        needs.leave_out(getattr(section, name), ("instance", name), reason, f"leave {name} out")
    work = workload(analysis, needs)
    machine = analysis.plan.require("hardware")
    return PodJob(
        name=job_name(analysis, work),
        own_script=spec.script is not None,
        validates=data.validation is not None and data.validation.share is None,
        base=spec.model.source is not None,
        workload=work,
        gpus=machine.gpus_per_instance,
        memory=section.host_memory if section.type is None else None,
        seconds=ceil(seconds),
        secrets=secrets(spec),
    )


def emit(job: PodJob) -> list[Artifact]:
    """Write the files of the folder."""
    work = job.workload
    machine = machine_script(job.name, work, HOSTS, own_script=job.own_script, port=PORT, limit=None)
    about = f"{job.name}: written by hbspec. submit.sh puts the names of the claim and of the image in, and creates it."
    return [
        script_artifact("submit.sh", [*_submission(job)]),
        Artifact(JOB, yaml_text(_train_job(job), about).encode()),
        script_artifact(MACHINE, machine),
        json_artifact("hyperparameters.json", dict(work.hyperparameters)),
        *(file._replace(path=f"source/{file.path}") for file in work.source),
    ]


def _submission(job: PodJob) -> Iterator[str]:
    yield from opening(
        f"{job.name}: creates the TrainJob; written by hbspec.",
        "# CLAIM is a PersistentVolumeClaim, which all nodes can mount. It holds this folder under the job's name, the",
        "# data under data/train and data/validation, and in base-model the model's files where model.source is set.",
        "# IMAGE has Python, PyTorch for the GPUs, and what requirements.txt names. Arguments go to kubectl.",
    )
    yield f"cd -- {HERE}"
    yield "claim=${CLAIM:?is the PersistentVolumeClaim of the job} image=${IMAGE:?is the image of its containers}"
    yield 'for word in "$claim" "$image"; do'
    yield "  case $word in *[!A-Za-z0-9._:/@-]*)"
    yield '    echo "$word: not the name of a claim or an image" >&2'
    yield "    exit 2 ;;"
    yield "  esac"
    yield "done"
    if job.secrets:
        keys = " ".join(job.secrets)
        yield f'echo "the job reads {keys} from the Secret {job.name}, which has to be there" >&2'
    yield f'sed "s|{CLAIM}|$claim|; s|{IMAGE}|$image|" {JOB} | kubectl create "$@" --filename -'


def _train_job(job: PodJob) -> dict[str, Any]:
    patch = {
        "name": "node",
        "template": {
            "spec": {
                "template": {
                    "spec": {
                        "terminationGracePeriodSeconds": GRACE,
                        "volumes": [{"name": VOLUME, "persistentVolumeClaim": {"claimName": CLAIM}}],
                        "containers": [
                            {"name": "node", "volumeMounts": [{"name": VOLUME, "mountPath": MOUNT}]},
                        ],
                    }
                }
            }
        },
    }
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": job.name},
        "spec": {
            "activeDeadlineSeconds": job.seconds,
            "runtimeRef": {"name": RUNTIME},
            "trainer": _trainer(job),
            "runtimePatches": [
                {
                    "manager": MANAGER,
                    "trainingRuntimeSpec": {"template": {"spec": {"replicatedJobs": [patch]}}},
                }
            ],
        },
    }


def _trainer(job: PodJob) -> dict[str, Any]:
    asked: dict[str, str] = {"nvidia.com/gpu": str(job.gpus)}
    if job.memory is not None:
        asked["memory"] = str(job.memory)
    data = {"SM_CHANNEL_TRAIN": f"{MOUNT}/data/train"}
    data |= {"SM_CHANNEL_VALIDATION": f"{MOUNT}/data/validation"} if job.validates else {}
    data |= {"SM_CHANNEL_MODEL": f"{MOUNT}/base-model"} if job.base else {}
    run = f"{MOUNT}/runs/{job.name}"
    told = {"RUN_DIR": run, **data, "SM_MODEL_DIR": f"{run}/model", "SM_OUTPUT_DATA_DIR": f"{run}/output"}
    variables: list[dict[str, Any]] = [{"name": name, "value": value} for name, value in told.items()]
    variables += [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": job.name, "key": name}}} for name in job.secrets
    ]
    return {
        "numNodes": job.workload.call.instances,
        "image": IMAGE,
        "command": ["bash", f"{MOUNT}/{job.name}/{MACHINE}"],
        "env": variables,
        "resourcesPerNode": {"requests": asked, "limits": asked},
    }


TARGET = Target(
    "kubeflow",
    "a TrainJob of Kubeflow Trainer, whose pods go on from the checkpoint when they are started again",
    lower,
    emit,
    "submit.sh",
    trains=True,
)
