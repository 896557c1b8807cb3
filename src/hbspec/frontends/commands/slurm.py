"""What the `#SBATCH` lines of a batch script say: the time limit, and the variables that Slurm sets from them.

Source: https://slurm.schedmd.com/sbatch.html, which reads these lines up to the first command. Left out: that options
of `sbatch` itself and variables such as `SBATCH_TIMELIMIT` count above them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hbspec.frontends.commands.variables import Field

LINE = re.compile(
    r"(?P<directive>#SBATCH[ \t]+(?P<options>(?:(?![ \t]#)[^\r\n])*))?[ \t]*(?:#[^\r\n]*)?(?:\r\n|\r|\n|$)"
)
"""A blank line, a comment, or options."""
OPTION = re.compile(
    r"(?<!\S)(?:--(?P<long>[a-z-]+)(?:[ \t]*=[ \t]*|[ \t]+)|-(?P<short>[A-Za-z])[ \t]*)(?P<value>[^\s#=-]\S*)"
)
SHORT = {"N": "nodes", "n": "ntasks", "t": "time", "G": "gpus"}
NODES, EACH, TASKS = ("nodes",), ("gpus-per-node", "gres"), ("ntasks-per-node",)
VARIABLES = {
    "SLURM_NNODES": NODES,
    "SLURM_JOB_NUM_NODES": NODES,
    "SLURM_GPUS_ON_NODE": EACH,
    "SLURM_GPUS_PER_NODE": ("gpus-per-node",),
    "SLURM_NTASKS_PER_NODE": TASKS,
}
"""The options that each variable has its number from."""
NUMBER = re.compile(r"(?:(?:gpu:)?(?:[A-Za-z][\w.-]*:)?)([0-9]{1,6})")
"""`8`, `h100:8`, `gpu:8` or `gpu:h100:8`; not `2-4`, of which the scheduler takes one."""
TIME = re.compile(
    r"(?:(?P<days>[0-9]{1,5})-)?(?P<first>[0-9]{1,7})(?::(?P<second>[0-9]{1,2}))?(?::(?P<third>[0-9]{1,2}))?"
)


def directives_of(text: str, start: int, end: int) -> dict[str, Field]:
    """The options of a script that come before its first command, each with its value; the last of a name counts."""
    found: dict[str, Field] = {}
    while start < end and (line := LINE.match(text, start, end)) and line.end() > start:
        if line["directive"]:
            found.update(_options(text, line.start("options"), line.end("options")))
        start = line.end()
    return found


def _options(text: str, start: int, end: int) -> Iterator[tuple[str, Field]]:
    for option in OPTION.finditer(text, start, end):
        name = option["long"] or SHORT.get(option["short"], option["short"])
        first, last = option.span("value")
        places = tuple(range(first, last))
        yield name, Field(option["value"], first, last, option["value"], False, first, places)


def variables_of(directives: dict[str, Field]) -> Iterator[tuple[str, Field]]:
    """The variables that Slurm sets from options whose number is certain."""
    for variable, names in VARIABLES.items():
        given = next((directives[name] for name in names if name in directives), None)
        number = NUMBER.fullmatch(given.text) if given else None
        if given and number:
            start, end = (given.start + place for place in number.span(1))
            places = tuple(range(start, end))
            yield variable, Field(number[1], start, end, number[1], False, start, places)


def time_limit(directives: dict[str, Field]) -> int | None:
    """Seconds of `--time`; None without one, or where it sets no limit (`0`, `INFINITE`).

    `M`, `M:S`, `H:M:S`, `D-H`, `D-H:M` or `D-H:M:S`.
    """
    given = directives.get("time")
    found = TIME.fullmatch(given.text) if given else None
    if found is None:
        return None
    first, second, third = (int(found[name] or 0) for name in ("first", "second", "third"))
    if found["days"] is not None:
        hours, minutes, seconds = int(found["days"]) * 24 + first, second, third
    elif found["third"] is not None:
        hours, minutes, seconds = first, second, third
    else:
        hours, minutes, seconds = 0, first, second
    return hours * 3600 + minutes * 60 + seconds or None
