"""A report that fits a terminal's screen: the errors first, each with what to do, then the summary."""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.diagnostics import Report, Severity
from hbspec.render.lines import Line, wrapped
from hbspec.render.report import INDENT, closing_lines, headline, help_lines
from hbspec.render.screen import FULL
from hbspec.units import counted


def short_report_lines(report: Report, width: int | None, room: int, *, quiet: bool = False) -> Iterator[Line]:
    """As many diagnostics as there is room for, without excerpts, and how many are left out.

    Args:
        report: the result of a check.
        width: columns to fold at; None folds nothing.
        room: lines that all of it may take; one diagnostic is shown even so.
        quiet: errors only, without the summary.
    """
    severities = list(Severity)
    found = sorted(report.diagnostics, key=lambda each: severities.index(each.severity))
    if quiet:
        found = [each for each in found if each.severity is Severity.ERROR]
    closing = [] if quiet else list(closing_lines(report, width))
    left, shown = room - len(closing) - 1, 0
    for diagnostic in found:
        lines = [*wrapped(headline(diagnostic), width, INDENT), *help_lines(diagnostic, width, 2)]
        if shown and len(lines) > left:
            break
        yield from lines
        left, shown = left - len(lines), shown + 1
    said = f"{FULL} shows each line of the spec"
    if shown < len(found):
        said = f"and {counted(len(found) - shown, 'more finding')}, the errors first: add {FULL}"
    yield from wrapped((("faint", said),), width, INDENT)
    yield from closing
