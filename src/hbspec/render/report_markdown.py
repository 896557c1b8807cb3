"""A report as Markdown, for the comments of a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hbspec.diagnostics import Diagnostic, Report, Severity
from hbspec.render.report import summary_text
from hbspec.showing import shown

MARKS = re.compile(r"([\\`*_{}\[\]<>#|~])")


def markdown_lines(report: Report) -> Iterator[str]:
    """A line with the counts, then a table of the findings."""
    yield f"**hbspec:** {escaped(summary_text(report))}\n"
    if report.diagnostics:
        yield "\n| | Place | Finding | What to do |\n|---|---|---|---|\n"
        yield from (_row(entry) for entry in report.diagnostics)


def _row(entry: Diagnostic) -> str:
    place = f"{entry.file}:{entry.span.start.line}" if entry.span else entry.file
    severity = f"**{entry.severity}**" if entry.severity is Severity.ERROR else str(entry.severity)
    found = f"{entry.code} {entry.name}: {entry.message}"
    return f"| {severity} | {escaped(place)} | {escaped(found)} | {escaped(entry.help)} |\n"


def escaped(text: str) -> str:
    """Text without meaning to Markdown or HTML, on one line."""
    return MARKS.sub(r"\\\1", shown(text)).replace("\n", " ")
