"""Target `kubeflow`: a TrainJob of Kubeflow Trainer 2, which runs the same training on the nodes of a cluster.

A node's script is `launch.sh`, which starts the ranks by itself: of the runtime's variables it reads only the pod's
number and the first pod's address.
https://www.kubeflow.org/docs/components/trainer/
"""

from __future__ import annotations

from typing import Any, NamedTuple

from hbspec.analysis import Analysis
from hbspec.source.written import yaml_text
from hbspec.targets.cluster import pod
from hbspec.targets.cluster.machine_script import MACHINE, machine_script
from hbspec.targets.lowering.artifact import Artifact, json_artifact, script_artifact
from hbspec.targets.lowering.needs import Needs
from hbspec.targets.lowering.target import Target

JOB = "trainjob.yaml"
RUNTIME = "torch-distributed"
"""The ClusterTrainingRuntime that Kubeflow Trainer installs for PyTorch; its job and its container are `node`."""
HOSTS = (
    "node_rank=${PET_NODE_RANK:?is the number of this machine}",
    "master_addr=${PET_MASTER_ADDR:?is the address of the first machine}",
)
"""The variables of the torch runtime (kubeflow/trainer, `pkg/constants/constants.go`)."""
PORT = "${PET_MASTER_PORT:-29400}"
GRACE = 180
"""Seconds from SIGTERM to SIGKILL: the launcher's 115, and the time of the pod to end."""
MANAGER = "hbspec/compile"
IMAGE = "Python, PyTorch for the GPUs, and what requirements.txt names"


class TrainJob(NamedTuple):
    """What the files are written from.

    Attributes:
        pods: one on each node.
        memory: bytes of each node that are asked for; None where the spec does not say.
    """

    pods: pod.Pods
    memory: int | None


def lower(analysis: Analysis) -> TrainJob:
    """Choose the values of the TrainJob.

    Raises:
        LoweringError: the spec has no time limit or no weights, says what a TrainJob cannot, or its script cannot be
            copied.
    """
    section, needs = analysis.spec.instance, Needs("kubeflow")
    often = "the runtime says how often pods are started again"
    needs.leave_out(section.retries, ("instance", "retries"), often, "leave retries out")
    return TrainJob(
        pods=pod.pods(analysis, needs),
        memory=section.host_memory if section.type is None else None,
    )


def emit(job: TrainJob) -> list[Artifact]:
    """Write the files of the folder."""
    work = job.pods.workload
    machine = machine_script(job.pods.name, work, HOSTS, own_script=job.pods.own_script, port=PORT, limit=None)
    return [
        script_artifact("submit.sh", [*pod.submission(job.pods, JOB, "TrainJob", IMAGE)]),
        Artifact(JOB, yaml_text(_train_job(job), pod.about(job.pods)).encode()),
        script_artifact(MACHINE, machine),
        json_artifact("hyperparameters.json", dict(work.hyperparameters)),
        *(file._replace(path=f"source/{file.path}") for file in work.source),
    ]


def _train_job(job: TrainJob) -> dict[str, Any]:
    node = {
        "terminationGracePeriodSeconds": GRACE,
        "volumes": pod.volumes(),
        "containers": [{"name": "node", "volumeMounts": pod.mounts()}],
    }
    patch = {"name": "node", "template": {"spec": {"template": {"spec": node}}}}
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": pod.metadata(job.pods),
        "spec": {
            "activeDeadlineSeconds": job.pods.seconds,
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


def _trainer(job: TrainJob) -> dict[str, Any]:
    asked: dict[str, str] = {pod.GPU: str(job.pods.gpus)}
    if job.memory is not None:
        asked["memory"] = str(job.memory)
    return {
        "numNodes": job.pods.workload.call.instances,
        "image": pod.IMAGE,
        "command": pod.command(job.pods, MACHINE),
        "env": pod.environment(job.pods),
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
