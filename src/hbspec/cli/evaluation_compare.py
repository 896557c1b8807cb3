"""`hbspec evaluation compare`: two models by the records of their evaluations, in pairs of answers."""

from __future__ import annotations

import sys
from pathlib import Path

from hbspec.cli.command import Command, MisuseError, Parameter
from hbspec.cli.exit_codes import ERRORS, OK
from hbspec.cli.options import format_of


def run(first: Path, second: Path, format: str) -> int:  # noqa: A002 - the option's name
    """Print how the second model compares with the first; return the exit code."""
    from hbspec.evaluation.record import compared

    try:
        suites, alone = compared(first, second)
    except ValueError as reason:
        raise MisuseError(str(reason)) from None
    if format == "json":
        from hbspec.render.plain_json import json_text

        told = {"format_version": 1, "suites": [suite.to_dict() for suite in suites], "only_one_has": alone}
        sys.stdout.write(json_text(told))
    else:
        from hbspec.render.evaluated import compared_lines
        from hbspec.render.paint import columns, write

        write(compared_lines(suites, alone, columns()), sys.stdout)
    return ERRORS if any(suite.found.verdict == "worse" for suite in suites) else OK


COMMAND = Command(
    "evaluation compare",
    "Compare two models by the records of their evaluations, in pairs of answers to the same items.",
    run,
    (
        Parameter("first", "The record of the model of today.", metavar="FIRST", convert=Path, required=True),
        Parameter(
            "second", "The record of the model that may replace it.", metavar="SECOND", convert=Path, required=True
        ),
        format_of("text", "json"),
    ),
    "A difference counts where McNemar's exact test and the difference clustered by template agree. Exit code 0: no "
    "suite is worse; 1: one is; 2: the records cannot be compared.",
)
