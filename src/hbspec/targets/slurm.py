"""Target `slurm`: a batch job for Slurm that runs the same training, and is requeued to go on from its checkpoint.

`submit.sh` names the job's own folder and calls `sbatch`; `job.sbatch` asks for the machines and starts `launch.sh` on
each. Before the time limit the batch script gets SIGUSR1, lets the training save, and puts the job back into the queue
as long as `instance.max_runtime`, which counts all starts together, is not used up. Partition and account are the
cluster's: Slurm reads them from SBATCH_PARTITION and SBATCH_ACCOUNT.
https://slurm.schedmd.com/sbatch.html
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

from hbspec.analysis import Analysis
from hbspec.targets.cluster.job_name import job_name
from hbspec.targets.cluster.machine_script import MACHINE, STOPPED, Limit, machine_script, waited
from hbspec.targets.cluster.of_sagemaker import refuse_of_sagemaker, secrets
from hbspec.targets.cluster.time_to_save import seconds_to_save
from hbspec.targets.job.workload import Workload, workload
from hbspec.targets.lowering.artifact import Artifact, json_artifact, script_artifact
from hbspec.targets.lowering.needs import Needs
from hbspec.targets.lowering.shell import HERE, opening
from hbspec.targets.lowering.target import Target

BATCH = "job.sbatch"
HOSTS = (
    "node_rank=${SLURM_NODEID:?is the number of this machine}",
    "master_addr=${MASTER_ADDR:?is the address of the first machine}",
)
PORT = "$((20000 + SLURM_JOB_ID % 10000))"
"""Below the ports that Linux hands out by itself, and another one for each job, since jobs may share a machine."""
TEAR_DOWN = 65
"""Seconds from the end of the ranks to that of the job. Slurm sends a signal up to 60 s early (`--signal`)."""
CORES_OF_A_RANK = 2
"""For a part of a machine: one launches kernels, one reads the next rows. A whole machine has all its cores."""
LEAST_LEFT = 600
"""Seconds of `max_runtime` below which a requeued job would only load the model and stop again."""


class SlurmJob(NamedTuple):
    """What the scripts are written from.

    Attributes:
        name: of the job, with its digest.
        own_script: whether the author's own script runs.
        whole: whether the job takes whole machines, as an instance type is one.
        hardware: of the plan, in words.
        gpus: of each machine.
        memory: bytes of each machine that are asked for; None for all, or for what the cluster gives by default.
        seconds: of all starts together.
        notice: seconds before a time limit at which the training is told to stop.
        secrets: variables that have to be set where the job is submitted.
    """

    name: str
    own_script: bool
    workload: Workload
    whole: bool
    hardware: str
    gpus: int
    memory: int | None
    seconds: int
    notice: int
    secrets: tuple[str, ...]


def lower(analysis: Analysis) -> SlurmJob:
    """Choose what is asked of Slurm.

    Raises:
        LoweringError: the spec names no time limit or no weights, says what Slurm has no word for, or its script cannot
            be copied.
    """
    spec, needs = analysis.spec, Needs("slurm")
    seconds = needs.take(spec.instance.max_runtime, ("instance", "max_runtime"), 0.0)
    refuse_of_sagemaker(needs, spec)
    alone = "leave it out, and choose a partition whose jobs may be preempted"
    needs.leave_out(spec.instance.spot, ("instance", "spot"), "a cluster has no spot capacity", alone)
    often = "a requeue after the failure of a node has no limit; leave retries out"
    needs.leave_out(spec.instance.retries, ("instance", "retries"), "Slurm does not count retries", often)
    disk = "a node has the disk that it has; leave volume out"
    needs.leave_out(spec.instance.volume, ("instance", "volume"), "Slurm makes no volumes", disk)
    work = workload(analysis, needs)
    machine = analysis.plan.require("hardware")
    return SlurmJob(
        name=job_name(analysis, work),
        own_script=spec.script is not None,
        workload=work,
        whole=spec.instance.type is not None,
        hardware=f"{machine.gpus_per_instance} x {machine.gpu.name}",
        gpus=machine.gpus_per_instance,
        memory=None if spec.instance.type is not None else spec.instance.host_memory,
        seconds=ceil(seconds),
        notice=min(seconds_to_save(analysis) + TEAR_DOWN, ceil(seconds) // 2),
        secrets=secrets(spec),
    )


def emit(job: SlurmJob) -> list[Artifact]:
    """Write the files of the folder."""
    work = job.workload
    limit = Limit(job.seconds - job.notice, "$SLURM_JOB_ID")
    machine = machine_script(job.name, work, HOSTS, own_script=job.own_script, port=PORT, limit=limit)
    return [
        script_artifact("submit.sh", [*_submission(job)]),
        script_artifact(BATCH, [*_batch(job)]),
        script_artifact(MACHINE, machine),
        json_artifact("hyperparameters.json", dict(work.hyperparameters)),
        *(file._replace(path=f"source/{file.path}") for file in work.source),
    ]


def _submission(job: SlurmJob) -> Iterator[str]:
    given = "ARGUMENT..." if job.own_script else "--train-dir TRAIN [--validation-dir VALIDATION] [--base-dir MODEL]"
    given += " [--adapter-dir ADAPTERS]" if "ADAPTER" in job.workload.hyperparameters else ""
    yield from opening(
        f"{job.name}: submits the training to Slurm; written by hbspec.",
        f"# submit.sh {given}: arguments go to the training script.",
        "# RUN_DIR is the folder of the job, for checkpoints, model and log, which all nodes see: by default one",
        "# of the job's name in the current folder. The job has this environment: Python with requirements.txt.",
        "# Set SBATCH_PARTITION and SBATCH_ACCOUNT where the cluster has no default; Slurm reads them. How the cluster",
        "# calls its GPUs is not known here: SBATCH_CONSTRAINT or SBATCH_GPUS_PER_NODE choose them.",
    )
    yield f"here=$(cd -- {HERE} && pwd)"
    yield from (f': "${{{name}:?is a secret of the job: set it in this environment}}"' for name in job.secrets)
    yield "if ! command -v sbatch > /dev/null; then"
    yield '  echo "sbatch is not installed: run this where jobs are submitted to Slurm" >&2'
    yield "  exit 1"
    yield "fi"
    yield f"run=${{RUN_DIR:-$PWD/{job.name}}}"
    yield 'mkdir -p -- "$run"'
    yield 'run=$(cd -- "$run" && pwd)'
    nodes = job.workload.call.instances
    yield f'echo "judged for {nodes} node{"s" if nodes > 1 else ""} with {job.hardware} each; the job is in $run" >&2'
    yield 'exec sbatch --output="${run//%/%%}/slurm-%j.log" "$here"/' + f'{BATCH} "$here" "$run" "$@"'


def _batch(job: SlurmJob) -> Iterator[str]:
    lines = opening(f"{job.name}: written by hbspec. submit.sh submits it.")
    yield next(lines)
    yield next(lines)
    yield from (f"#SBATCH {option}" for option in _options(job))
    yield from lines
    yield "here=$1 run=$2"
    yield "shift 2"
    yield "export RUN_DIR=$run"
    if job.workload.call.instances > 1:
        yield 'MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | sed -n 1p)'
        yield "export MASTER_ADDR"
    yield "told=0"
    yield 'stop() { told=$((told + 1)); scancel --signal=TERM "$SLURM_JOB_ID" || true; }'
    yield "trap stop USR1"
    together = "" if job.own_script else f" --wait={job.notice}"
    yield f'srun --kill-on-bad-exit=0{together} --cpu-bind=none "$here"/{MACHINE} "$@" &'
    yield "job=$!"
    yield from waited("job", "told")
    yield from _requeued(job)


def _options(job: SlurmJob) -> Iterator[str]:
    """What is asked of Slurm. Options on the command line of sbatch, and its variables, win over these."""
    call = job.workload.call
    yield f"--job-name={job.name}"
    yield "--dependency=singleton"
    yield f"--nodes={call.instances}"
    yield "--ntasks-per-node=1"
    yield f"--gpus-per-node={job.gpus}"
    if job.whole:
        yield "--exclusive"
        yield "--mem=0"
    else:
        yield f"--cpus-per-task={CORES_OF_A_RANK * job.gpus}"
    if job.memory is not None:
        yield f"--mem={job.memory // 2**20}M"
    minutes, seconds = divmod(job.seconds, 60)
    yield f"--time={minutes // 60}:{minutes % 60:02}:{seconds:02}"
    yield f"--signal=B:USR1@{job.notice}"
    yield "--requeue"
    yield "--open-mode=append"


def _requeued(job: SlurmJob) -> Iterator[str]:
    """Lines that end the batch script, or put the job back into the queue where it can go on."""
    yield f'if ((code != {STOPPED})); then exit "$code"; fi'
    yield "if ((told == 0)); then"
    yield "  # Slurm itself stops the job, and requeues it where it was preempted: it must not end before."
    yield "  sleep 600"
    yield '  exit "$code"'
    yield "fi"
    yield 'used=$(< "$run/seconds-$SLURM_JOB_ID")'
    yield f"if ((used + {job.notice + LEAST_LEFT} > {job.seconds})); then"
    yield f'  echo "$used s of {job.seconds} s are used up. The checkpoint is in $run: submit.sh goes on from it" >&2'
    yield '  exit "$code"'
    yield "fi"
    yield f'echo "stopped after $used s of {job.seconds} s; requeued, to go on from the checkpoint" >&2'
    yield 'scontrol requeue "$SLURM_JOB_ID"'
    yield "sleep 600 # until Slurm ends this start"
    yield 'exit "$code"'


TARGET = Target(
    "slurm",
    "a batch job for Slurm that goes on from its checkpoint when it is requeued",
    lower,
    emit,
    "submit.sh",
    trains=True,
)
