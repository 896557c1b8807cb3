"""The command line that starts training: the program, the number of processes, and the shell lines around them.

The same form serves every target: a SageMaker container, any other machine, and the rehearsal on a CPU.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Route
from hbspec.plan.allocator import VARIABLE as ALLOCATOR
from hbspec.targets.job.data_settings import data_arguments
from hbspec.targets.job.hyperparameters import own_hyperparameters
from hbspec.targets.job.source_folder import CHAT_TEMPLATE, DEEPSPEED, LAUNCHER, LAUNCHER_BESIDE_OWN
from hbspec.targets.lowering.needs import LoweringError, refusal

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
"""The name of a shell variable (POSIX.1-2017, Base Definitions, 3.235)."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """The program that starts training, with its processes, arguments and environment.

    Attributes:
        script: path of the script below the source folder.
        launcher: path of the program that starts the processes, below the source folder.
        instances: number of instances.
        processes: number of processes on each instance.
        distributed: whether the launcher starts the processes; otherwise plain `python` runs the script.
        arguments: words after the script's name.
        environment: variables to export, by name.
    """

    script: str
    launcher: str
    instances: int
    processes: int
    distributed: bool
    arguments: tuple[str, ...]
    environment: Mapping[str, str]


def invocation(analysis: Analysis) -> Invocation:
    """The invocation of a spec's script; the shipped script reads its hyperparameters from a file.

    Raises:
        LoweringError: the hardware is unknown, or a name cannot be that of an environment variable.
    """
    plan, script, machine = analysis.plan, analysis.spec.script, analysis.plan.hardware
    distributed = plan.way.distributed
    if machine is None:
        message = f"a launch needs the number of GPUs, but {plan.unknown['hardware']} is not known"
        raise LoweringError([refusal("HB040", ("instance",), message, "name an instance type or a GPU of the catalog")])
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    if script is None:
        arguments = ("--PARALLELISM", plan.parallelism, "--METHOD", plan.training.method, *_of_fsdp(analysis))
        arguments += ("--DEEPSPEED", DEEPSPEED) if analysis.deepspeed_json is not None else ()
        templated = analysis.chat_template is not None and analysis.spec.data.format != "standard"
        arguments += ("--CHAT_TEMPLATE", CHAT_TEMPLATE) if templated else ()
        arguments += data_arguments(analysis.spec)
    else:
        values = own_hyperparameters(analysis)
        if script.reads == "environment":
            environment = values
            refuse_names(values, ("script", "hyperparameters"))
        else:
            arguments = tuple(word for name, value in values.items() for word in (f"--{name}", value))
            environment = {f"SM_HP_{_variable(name)}": value for name, value in values.items()}
    if analysis.spec.software.allocator is not None:
        environment = {**environment, ALLOCATOR: analysis.spec.software.allocator}
    return Invocation(
        script=script.entry_point if script else OWN_SCRIPT,
        launcher=LAUNCHER_BESIDE_OWN if script else LAUNCHER,
        instances=machine.instances,
        processes=machine.gpus_per_instance if distributed else 1,
        distributed=distributed,
        arguments=arguments,
        environment=environment,
    )


def _of_fsdp(analysis: Analysis) -> tuple[str, ...]:
    """How FSDP shards, where the spec says it: the shipped script's defaults are the plan's."""
    asked, section = analysis.plan.fsdp, analysis.spec.instance
    if asked is None:
        return ()
    version = () if section.fsdp_version is None else ("--FSDP_VERSION", str(asked.version))
    reshards = ("--RESHARD_AFTER_FORWARD", str(asked.reshards).lower())
    return version if section.reshard_after_forward is None else (*version, *reshards)


def refuse_names(names: Iterable[str], route: Route) -> None:
    """Raise `LoweringError` with a finding for each key at a route that is not the name of a variable, if any."""
    findings: list[Finding] = [
        refusal(
            "HB044",
            (*route, name),
            f"{name!r} is passed in the environment, but is not a valid variable name",
            "use letters, digits and underscores, and do not begin with a digit",
        )
        for name in names
        if not VARIABLE.fullmatch(name)
    ]
    if findings:
        raise LoweringError(findings)


def _variable(name: str) -> str:
    """A hyperparameter's name as part of a shell variable's name."""
    return re.sub(r"\W", "_", name, flags=re.ASCII).upper()


def exports(call: Invocation) -> list[str]:
    """Shell lines that export the environment variables."""
    return [f"export {name}={quote(value)}" for name, value in call.environment.items()]


def script_words(call: Invocation, more: str = "", *, below: str = "") -> str:
    """Shell text of the script and its arguments, as a program that starts Python takes them.

    Args:
        call: the invocation.
        more: shell text after the arguments, verbatim.
        below: shell text before the script's path, verbatim: the source folder, if it is not the current one.
    """
    return " ".join([below + quote(call.script), *map(quote, call.arguments), *([more] if more else [])])


def command(
    call: Invocation,
    more: str = "",
    *,
    below: str = "",
    hosts: Sequence[str] = ANY_HOSTS,
    through: Sequence[str] = (),
    before: str = "exec ",
    port: str = str(MASTER_PORT),
) -> list[str]:
    """Shell lines that start training and replace the shell, so that signals reach the process.

    Args:
        call: the invocation.
        more: shell text after the arguments, verbatim.
        hosts: shell lines that set `node_rank` and `master_addr` if the job has several instances.
        below: shell text before the script's path, verbatim: the source folder, if it is not the current one.
        through: a program, with its arguments, that starts the rest.
        before: shell text before the command, verbatim; without `exec` the shell stays.
        port: shell text, verbatim: the port of the first machine where the ranks of several meet.
    """
    arguments = script_words(call, more, below=below)
    start = before + " ".join([*map(quote, through), "python"])
    if not call.distributed:
        return [f"{start} {arguments}"]
    start = f"{start} {below}{call.launcher}"
    ranks = f'--nproc_per_node "${{NPROC_PER_NODE:-{call.processes}}}"'
    if call.instances == 1:
        return [f"{start} {ranks} \\", f"  {arguments}"]
    return [
        *hosts,
        f'{start} --nnodes {call.instances} --node_rank "$node_rank" --master_addr "$master_addr" '
        f"--master_port {port} {ranks} \\",
        f"  {arguments}",
    ]
