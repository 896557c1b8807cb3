"""The command line that starts training: which program, how many processes, and what the shell script around it does.

One form serves every target: a container of SageMaker, a machine of one's own, and the rehearsal on a CPU.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from shlex import quote

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding
from hbspec.targets.job.hyperparameters import hyperparameters
from hbspec.targets.job.source_folder import LAUNCHER, LAUNCHER_BESIDE_OWN
from hbspec.targets.lowering.needs import TargetError, refusal

OWN_SCRIPT = "train.py"
MASTER_PORT = 7777
ANY_HOSTS = (
    "# Every machine runs this script, and is told which one it is.",
    "node_rank=${NODE_RANK:?is the number of this machine, 0 for the first}",
    "master_addr=${MASTER_ADDR:?is the address of the first machine}",
)
SAGEMAKER_HOSTS = (
    "# Every instance runs this script; SageMaker names them algo-1, algo-2, …",
    "hosts=/opt/ml/input/config/resourceconfig.json",
    "node_rank=$(python -c 'import json, sys; c = json.load(open(sys.argv[1]));"
    ' print(sorted(c["hosts"]).index(c["current_host"]))\' "$hosts")',
    "master_addr=algo-1",
)
"""https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html"""
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""What a shell takes as a variable's name (POSIX.1-2017, Base Definitions, 3.235)."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """How training is started.

    Attributes:
        script: below the source folder.
        launcher: what starts the processes, below the source folder.
        processes: on each instance; 1 is plain python, else the launcher.
        arguments: after the script's name.
        environment: exported before it.
    """

    script: str
    launcher: str
    instances: int
    processes: int
    distributed: bool
    arguments: tuple[str, ...]
    environment: Mapping[str, str]


def invocation(analysis: Analysis) -> Invocation:
    """The invocation that a spec describes; the shipped script reads its hyperparameters from their file itself.

    Raises:
        TargetError: the hardware is not known, or a name cannot be one of an environment variable.
    """
    plan, script, machine = analysis.plan, analysis.spec.script, analysis.plan.hardware
    distributed = plan.way.distributed
    if machine is None:
        message = f"a launch needs the number of GPUs, and {plan.unknown['hardware']} is not known"
        raise TargetError([refusal("HB040", ("instance",), message, "name an instance type or a GPU of the catalog")])
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    if script is None:
        arguments = ("--PARALLELISM", plan.parallelism, "--METHOD", plan.training.method)
    else:
        values = hyperparameters(analysis)
        if script.reads == "environment":
            environment = values
            _refuse([name for name in values if not VARIABLE.fullmatch(name)])
        else:
            arguments = tuple(word for name, value in values.items() for word in (f"--{name}", value))
            environment = {f"SM_HP_{_variable(name)}": value for name, value in values.items()}
    return Invocation(
        script=script.entry_point if script else OWN_SCRIPT,
        launcher=LAUNCHER_BESIDE_OWN if script else LAUNCHER,
        instances=machine.instances,
        processes=machine.gpus_per_instance if distributed else 1,
        distributed=distributed,
        arguments=arguments,
        environment=environment,
    )


def _refuse(names: Sequence[str]) -> None:
    """Raises `TargetError` for the names, if there are any."""
    findings: list[Finding] = [
        refusal(
            "HB044",
            ("script", "hyperparameters", name),
            f"{name!r} is to be handed over in the environment, where no variable can have this name",
            "use letters, digits and underscores, and no digit at the beginning",
        )
        for name in names
    ]
    if findings:
        raise TargetError(findings)


def _variable(name: str) -> str:
    """A hyperparameter's name as part of a shell variable's."""
    return re.sub(r"\W", "_", name, flags=re.ASCII).upper()


def exports(call: Invocation) -> list[str]:
    """Shell lines that hand values over in the environment."""
    return [f"export {name}={quote(value)}" for name, value in call.environment.items()]


def command(call: Invocation, more: str = "", *, below: str = "", hosts: Sequence[str] = ANY_HOSTS) -> list[str]:
    """Shell lines that start training and replace the shell, so that signals reach it.

    Args:
        call: what to start.
        more: shell text after the arguments, verbatim.
        hosts: shell lines that set `node_rank` and `master_addr`, where there are several instances.
        below: shell text before the script's path, verbatim: the source folder, where it is not the current one.
    """
    arguments = " ".join([below + quote(call.script), *map(quote, call.arguments), *([more] if more else [])])
    if not call.distributed:
        return [f"exec python {arguments}"]
    start = f"exec python {below}{call.launcher}"
    ranks = f'--nproc_per_node "${{NPROC_PER_NODE:-{call.processes}}}"'
    if call.instances == 1:
        return [f"{start} {ranks} \\", f"  {arguments}"]
    return [
        *hosts,
        f'{start} --nnodes {call.instances} --node_rank "$node_rank" --master_addr "$master_addr" '
        f"--master_port {MASTER_PORT} {ranks} \\",
        f"  {arguments}",
    ]
