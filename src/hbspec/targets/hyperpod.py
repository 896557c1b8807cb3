"""Target `hyperpod`: a HyperPodPyTorchJob, which runs the same training on a HyperPod cluster that EKS orchestrates.

The training operator of HyperPod talks to an agent in each pod, `hyperpodrun`, which starts the ranks in the place of
the shipped launcher when the operator says so, and stops them. Unless it is told otherwise, the agent sends SIGKILL,
with which no rank saves: `launch.sh` tells it to send SIGTERM, and to wait.
https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-eks-operator-usage.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from hbspec.analysis import Analysis
from hbspec.plan.epochs import release
from hbspec.source.written import yaml_text
from hbspec.targets.cluster import pod
from hbspec.targets.cluster.machine_script import MACHINE, SOURCE, passed, prepared
from hbspec.targets.cluster.time_to_save import seconds_to_save
from hbspec.targets.job.invocation import script_words
from hbspec.targets.lowering.artifact import Artifact, json_artifact, script_artifact
from hbspec.targets.lowering.needs import Needs
from hbspec.targets.lowering.shell import opening
from hbspec.targets.lowering.target import Target

JOB = "job.yaml"
TYPE = ("instance", "type")
TORCH, TORCH_AFTER = (2, 4), (2, 12)
"""The releases of PyTorch from which on, and before which, the agent runs (hyperpod-elastic-agent 1.1.3, its
`dependencies`)."""
IMAGE = "Python, PyTorch 2.4 to 2.11 for the GPUs, hyperpod-elastic-agent, and what requirements.txt names"
PORT = 8080
"""On which the agent listens to the operator."""
EFA = "vpc.amazonaws.com/efa"
"""The resource of AWS's device plugin: interfaces over which NCCL reaches other nodes.
https://docs.aws.amazon.com/eks/latest/userguide/node-efa.html"""
ALONE = "--no-python env -u RANK -u LOCAL_RANK -u WORLD_SIZE -u LOCAL_WORLD_SIZE python -u "
"""Before a script that runs in one process: the agent tells it otherwise that it is one of several ranks, and a trainer
then neither splits a model over GPUs nor copies it to them."""
TEAR_DOWN = 65
"""Seconds from the end of the ranks to that of the pod."""


class HyperPodJob(NamedTuple):
    """What the files are written from.

    Attributes:
        pods: one on each node.
        type: of the nodes.
        efa: interfaces of each node that the job needs.
        retries: how often the job is started again after a failure.
        saving: seconds from SIGTERM to SIGKILL of a rank.
    """

    pods: pod.Pods
    type: str
    efa: int
    retries: int
    saving: int


def lower(analysis: Analysis) -> HyperPodJob:
    """Choose the values of the job.

    Raises:
        LoweringError: the spec has no type that a cluster may have, no time limit or no weights, says what the job
            cannot, or its script cannot be copied.
    """
    spec, needs = analysis.spec, Needs("hyperpod")
    section = spec.instance
    name = needs.take(section.type, TYPE, "", "name the instance type of the cluster's nodes")
    row = analysis.catalog.instances.get(name)
    unknown = name and (row is None or not row.cluster)
    needs.leave_out(unknown, TYPE, f"{name} is not a type of a cluster", "name a type that the cluster has")
    efa = 0 if section.count == 1 or row is None else row.efa_interfaces
    reason = f"how many EFA interfaces {name} has is not known, and several nodes need them"
    needs.leave_out(efa is None, TYPE, reason, "name another type, or a single instance")
    if torch := spec.software.torch:
        runs = TORCH <= (release(torch) or TORCH) < TORCH_AFTER
        action = "name a release that it runs with, or leave torch out"
        reason = f"the agent in its pods runs with PyTorch 2.4 to 2.11, not {torch}"
        needs.leave_out(not runs, ("software", "torch"), reason, action)
    return HyperPodJob(
        pods=pod.pods(analysis, needs),
        type=name,
        efa=efa or 0,
        retries=section.retries or 0,
        saving=seconds_to_save(analysis),
    )


def emit(job: HyperPodJob) -> list[Artifact]:
    """Write the files of the folder."""
    work = job.pods.workload
    return [
        script_artifact("submit.sh", [*pod.submission(job.pods, JOB, "HyperPodPyTorchJob", IMAGE)]),
        Artifact(JOB, yaml_text(_job(job), pod.about(job.pods)).encode()),
        script_artifact(MACHINE, [*_machine(job)]),
        json_artifact("hyperparameters.json", dict(work.hyperparameters)),
        *(file._replace(path=f"source/{file.path}") for file in work.source),
    ]


def _machine(job: HyperPodJob) -> Iterator[str]:
    call = job.pods.workload.call
    yield from opening(
        f"{job.pods.name}: written by hbspec; every pod of the job runs it. Arguments go to the training script.",
        "# RUN_DIR is the folder of the job, which all its pods see, and which outlives them.",
        "# The agent takes the place of this shell: signals have to reach it.",
    )
    yield from prepared(job.pods.workload)
    yield (
        f"exec hyperpodrun --nnodes {call.instances} --nproc-per-node {call.processes} "
        f"--shutdown-signal SIGTERM --shutdown-timeout {job.saving} \\"
    )
    alone = "" if call.distributed else ALONE
    yield f"  {alone}{script_words(call, passed(own_script=job.pods.own_script), below=SOURCE)}"


def _job(job: HyperPodJob) -> dict[str, Any]:
    call = job.pods.workload.call
    return {
        "apiVersion": "sagemaker.amazonaws.com/v1",
        "kind": "HyperPodPyTorchJob",
        "metadata": pod.metadata(job.pods),
        "spec": {
            "nprocPerNode": str(call.processes),
            "replicaSpecs": [{"name": "pod", "replicas": call.instances, "template": {"spec": _pod(job)}}],
            "runPolicy": {
                "activeDeadlineSeconds": job.pods.seconds,
                "jobMaxRetryCount": job.retries,
                "cleanPodPolicy": "All",
            },
        },
    }


def _pod(job: HyperPodJob) -> dict[str, Any]:
    asked = {pod.GPU: str(job.pods.gpus)} | ({EFA: str(job.efa)} if job.efa else {})
    container = {
        "name": "training",
        "image": pod.IMAGE,
        "command": pod.command(job.pods, MACHINE),
        "ports": [{"containerPort": PORT}],
        "env": pod.environment(job.pods, {"NNODES": str(job.pods.workload.call.instances)}),
        "resources": {"requests": asked, "limits": asked},
        "volumeMounts": pod.mounts(),
    }
    return {
        "nodeSelector": {"node.kubernetes.io/instance-type": job.type},
        "terminationGracePeriodSeconds": job.saving + TEAR_DOWN,
        "volumes": pod.volumes(),
        "containers": [container],
    }


TARGET = Target(
    "hyperpod",
    "a HyperPodPyTorchJob for a HyperPod cluster on EKS, which goes on from the checkpoint when it is started again",
    lower,
    emit,
    "submit.sh",
    trains=True,
)
