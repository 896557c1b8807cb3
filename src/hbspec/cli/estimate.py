"""`hbspec estimate`: a job's memory, time and cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hbspec.cli.command import Command
from hbspec.cli.foreign import FOREIGN, asked
from hbspec.cli.options import ALLOW_OUTSIDE, AS_OF, CATALOG, FULL, SET, SPECS, format_of
from hbspec.cli.shown import show_json, show_markdown, show_text

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
    full: bool,
    program: str | None,
    on: str | None,
    beside: Sequence[str],
    region: str | None,
    parallelism: str | None,
) -> int:
    """Print the estimates, or every reason why a spec cannot be estimated; return the exit code.

    A spec that cannot be estimated does not keep the others from it.
    """
    from hbspec.cli.several import estimated_each

    given = asked(overrides, program=program, on=on, beside=beside, region=region, parallelism=parallelism)
    given |= {"allow_outside": allow_outside, "as_of": as_of, "prices": catalog}
    found, code = estimated_each(specs, **given)
    _show(found, format, full=full)
    return code


def _show(found: Sequence[tuple[str, Estimates | Report]], format: str, *, full: bool) -> None:  # noqa: A002
    from hbspec.api import Estimates

    estimated = [(spec, result) for spec, result in found if isinstance(result, Estimates)]
    if format == "json":
        if len(found) > 1:
            show_json({"format_version": 1, "specs": [_entry(*pair) for pair in found]})
        elif estimated:
            show_json(estimated[0][1].to_dict())
    elif format == "markdown":
        show_markdown(_markdown(estimated))
    else:
        show_text(partial(_pages, estimated, several=len(found) > 1), full=full)


def _markdown(estimated: Sequence[tuple[str, Estimates]]) -> Iterator[str]:
    from hbspec.render.estimates import estimate_markdown

    for number, (_, result) in enumerate(estimated):
        yield from [""] if number else []
        yield from estimate_markdown(result)


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
    (SPECS, format_of("text", "json", "markdown"), SET, AS_OF, ALLOW_OUTSIDE, CATALOG, FULL, *FOREIGN),
    "With several specs, each is under its file name. Exit code 0: all were estimated. 1: a spec has errors that "
    "prevent it. 2: a file could not be read.",
)
