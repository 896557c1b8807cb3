"""Annotations of a GitHub Actions run, one line per diagnostic.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.diagnostics import Diagnostic, Report, Severity
from hbspec.showing import shown

COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def github_lines(report: Report) -> Iterator[str]:
    """`::error file=…,line=…::message`; GitHub shows columns only for a span that begins and ends on one line."""
    for diagnostic in (entry.of_file for entry in report.diagnostics):
        properties = ",".join(f"{key}={_property(shown(value))}" for key, value in _properties(diagnostic))
        also = f"\nalso: {shown(diagnostic.also_text)}" if diagnostic.also else ""
        text = _data(f"{shown(diagnostic.message)}\nhelp: {shown(diagnostic.help)}{also}")
        yield f"::{COMMANDS[diagnostic.severity]} {properties}::{text}\n"


def _properties(diagnostic: Diagnostic) -> Iterator[tuple[str, str]]:
    yield "title", f"{diagnostic.code} {diagnostic.name}"
    if diagnostic.span is None:
        return
    start, end = diagnostic.span.start, diagnostic.span.end
    yield "file", diagnostic.span.file
    yield "line", str(start.line)
    yield "endLine", str(end.line)
    if start.line == end.line:
        yield "col", str(start.column)
        yield "endColumn", str(max(start.column, end.column - 1))


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
