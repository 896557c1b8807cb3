"""`hbspec estimate`: a job's memory, time and cost."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hbspec.cli.command import Command
from hbspec.cli.exit_codes import OK
from hbspec.cli.options import ALLOW_OUTSIDE, AS_OF, CATALOG, SET, SPECS, format_of

if TYPE_CHECKING:
    from hbspec.api import Estimates
    from hbspec.diagnostics import Report
    from hbspec.render.lines import Line


def run(
    specs: Sequence[str],
    overrides: Sequence[str],
    as_of: date | None,
    allow_outside: bool,
    catalog: Path | None,
    format: str,  # noqa: A002 - the option's name
) -> int:
    """Print the estimates, or every reason why a spec cannot be estimated; return the exit code.

    A spec that cannot be estimated does not keep the others from it.
    """
    from hbspec.api import InvalidSpecError, estimate
    from hbspec.cli.outcome import refuse

    found: list[tuple[str, Estimates | Report]] = []
    code = OK
    for spec in specs:
        try:
            given: dict[str, Any] = {"allow_outside": allow_outside, "as_of": as_of, "prices": catalog}
            found.append((spec, estimate(spec, overrides=overrides, **given)))
        except InvalidSpecError as invalid:
            found.append((spec, invalid.report))
            code = max(code, refuse(invalid.report))
    _show(found, format)
    return code


def _show(found: Sequence[tuple[str, Estimates | Report]], format: str) -> None:  # noqa: A002 - as in `--format`
    from hbspec.api import Estimates

    estimated = [(spec, result) for spec, result in found if isinstance(result, Estimates)]
    if format == "json":
        from hbspec.render.plain_json import json_text

        if len(found) > 1:
            sys.stdout.write(json_text({"format_version": 1, "specs": [_entry(*pair) for pair in found]}))
        elif estimated:
            sys.stdout.write(json_text(estimated[0][1].to_dict()))
    elif format == "markdown":
        from hbspec.render.estimates import estimate_markdown

        for number, (_, result) in enumerate(estimated):
            sys.stdout.writelines(f"{line}\n" for line in ([""] if number else []) + [*estimate_markdown(result)])
    else:
        from hbspec.render.paint import columns, write

        write(_pages(estimated, columns(), several=len(found) > 1), sys.stdout)


def _pages(estimated: Sequence[tuple[str, Estimates]], width: int | None, *, several: bool) -> Iterator[Line]:
    """The page of each spec, under the spec's file name where there are several."""
    from hbspec.render.estimates import estimate_lines
    from hbspec.source.excerpts import printable

    for number, (spec, result) in enumerate(estimated):
        if number:
            yield ()
        if several:
            yield (("path", f"{printable(spec)}:"),)
        yield from estimate_lines(result, width)


def _entry(spec: str, result: Estimates | Report) -> dict[str, Any]:
    """One of the `specs` of the JSON form of several."""
    from hbspec.diagnostics import Report

    if isinstance(result, Report):
        return {"file": spec, "estimate": None, "diagnostics": result.to_dict()["diagnostics"]}
    return {"file": spec, "estimate": result.to_dict(), "diagnostics": []}


COMMAND = Command(
    "estimate",
    "Estimate a job's memory, time and cost: the answer first, then every item.",
    run,
    (SPECS, format_of("text", "json", "markdown"), SET, AS_OF, ALLOW_OUTSIDE, CATALOG),
    "With several specs, each is under its file name. Exit code 0: all were estimated. 1: a spec has errors that "
    "prevent it. 2: a file could not be read.",
)
