"""`launch.sh`: what each machine of a job runs, until the training is complete or has to stop.

A scheduler takes exit code 0 for the end of the job, and the shipped script ends with it after a signal, too, as
SageMaker wants it. So this script tells the two apart by the run's record: 0 is a delivered model, `STOPPED` a training
that goes on from its checkpoint when it is started again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hbspec.targets.job.invocation import command, exports
from hbspec.targets.job.workload import Workload
from hbspec.targets.lowering.shell import HERE, opening

MACHINE = "launch.sh"
SOURCE = '"$here"/source/'
STOPPED = 75
"""`EX_TEMPFAIL` of sysexits.h: the user is invited to retry."""
LATE = 124
"""What `timeout` of coreutils ends with, too."""
KILLED = 143
"""128 and SIGTERM: Python is stopped before the script handles signals, or a script of the author's handles none."""
OUTCOME = (
    "import json, sys; told = json.load(open(sys.argv[1], encoding='utf-8')); sys.exit(told['stopped_by'] is not None)"
)
"""Python that succeeds if the record of the shipped script's run (`run.json`) says that no signal stopped it."""


class Limit(NamedTuple):
    """The time of all starts of a job together.

    Attributes:
        seconds: after which the training is told to save and end.
        job: shell text that is the same for all starts of a job, and different for another submission of it.
        every: seconds between two notes of the time that is used up.
    """

    seconds: int
    job: str
    every: int = 5


def machine_script(
    name: str,
    work: Workload,
    hosts: Sequence[str],
    *,
    own_script: bool,
    port: str,
    limit: Limit | None,
) -> list[str]:
    """The lines of `launch.sh`.

    Args:
        name: of the job.
        work: what runs.
        hosts: shell lines that set `node_rank` and `master_addr` where the job has several machines.
        own_script: whether the author's own script runs.
        port: of the first machine, as shell text: where the ranks of several machines meet.
        limit: of time; None where the scheduler counts all starts itself.
    """
    call = work.call
    started = command(call, passed(own_script=own_script), below=SOURCE, hosts=(), before="", port=port)
    return [
        *opening(
            f"{name}: written by hbspec; every machine of the job runs it. Arguments go to the training script.",
            "# RUN_DIR is the folder of the job, which all its machines see, and which outlives them.",
            f"# It ends with 0 when the model is there, and with {STOPPED} when a new start would go on.",
        ),
        *prepared(work),
        *(hosts if call.instances > 1 else ("node_rank=0",)),
        "told=0 job=",
        'stop() { told=$((told + 1)); if [[ -n $job ]]; then kill -TERM "$job" 2> /dev/null || true; fi; }',
        "trap stop TERM INT",
        *(_metered(limit) if limit else ()),
        *started[:-1],
        f"{started[-1]} &",
        "job=$!",
        "if ((told)); then stop; fi",
        *waited("job", "told"),
        *(_noted() if limit else ()),
        *_judged(own_script=own_script, limit=limit),
    ]


def prepared(work: Workload) -> Iterator[str]:
    """Lines that find the compiled folder and the job's own, and set what the training reads from the environment."""
    yield f"here=$(cd -- {HERE} && pwd)"
    yield "run=${RUN_DIR:?is the folder of the job}"
    yield 'export PYTHONPATH="$here/source${PYTHONPATH:+:$PYTHONPATH}"'
    yield from exports(work.call)


def passed(*, own_script: bool) -> str:
    """Shell text after the script's arguments: what the shipped one writes into is last, where it wins."""
    folders = '--checkpoint-dir "$run/checkpoints" --model-dir "$run/model" --output-data-dir "$run/output"'
    return '"$@"' if own_script else f'--config-dir "$here" "$@" {folders}'


def _metered(limit: Limit) -> Iterator[str]:
    """Lines that note the time of all starts, and stop the training at the limit. The first machine does it for all."""
    yield f"# A start again has the same number: all starts together have {limit.seconds} s."
    yield f'meter="$run/seconds-{limit.job}" used=0 late=0 metering='
    yield 'if [[ -s $meter ]]; then used=$(< "$meter"); fi'
    yield "measure() {"
    yield f"  while ((used + SECONDS < {limit.seconds})); do"
    yield '    echo $((used + SECONDS)) > "$meter"'
    yield f"    sleep {limit.every}"
    yield "  done"
    yield "  kill -ALRM $$"
    yield "}"
    yield "trap 'late=1; stop' ALRM"
    yield 'if ((node_rank == 0)); then mkdir -p -- "$run"; measure > /dev/null 2>&1 & metering=$!; fi'


def _noted() -> Iterator[str]:
    """Lines that end the measuring, and note the last seconds."""
    yield "if [[ -n $metering ]]; then"
    yield '  kill "$metering" 2> /dev/null || true'
    yield '  echo $((used + SECONDS)) > "$meter"'
    yield "fi"


def waited(process: str, interrupted: str) -> Iterator[str]:
    """Lines that set `code` to the exit code of a process; a signal that is handled meanwhile ends no wait.

    Args:
        process: the variable with its number.
        interrupted: the variable that the handler of a signal counts up.
    """
    yield "while :; do"
    yield f"  heard=${interrupted} code=0"
    yield f'  wait "${process}" || code=$?'
    yield f"  if (({interrupted} == heard)); then break; fi"
    yield "done"


def _judged(*, own_script: bool, limit: Limit | None) -> Iterator[str]:
    """Lines that end the script with what the training came to; another machine than the first does not know it."""
    if own_script:
        yield "complete() { ((told == 0)); }  # your script ends with 0 after a signal, too, and keeps no record"
    else:
        yield "complete() {"
        yield "  ((node_rank > 0)) || python -c \\"
        yield f'    "{OUTCOME}" \\'
        yield '    "$run/output/run.json" 2> /dev/null'
        yield "}"
    yield "if ((code == 0)) && complete; then exit 0; fi"
    if limit:
        yield "if ((late)); then"
        yield f'  echo "stopped: all {limit.seconds} s are used up; a new submission goes on from the checkpoint" >&2'
        yield f"  exit {LATE}"
        yield "fi"
    yield f"if ((code == 0 || code == {KILLED})); then exit {STOPPED}; fi"
    yield 'exit "$code"'
