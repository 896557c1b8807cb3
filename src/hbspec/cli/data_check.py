"""`hbspec data check`: every line of the data that training could not use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from hbspec.cli.command import Command, Parameter
from hbspec.cli.options import format_of
from hbspec.diagnostics import Diagnostic, Finding, Position, Report, Span

FILES = Parameter("files", "JSONL files of one split.", metavar="FILE", repeated=True, required=True)


def run(files: Sequence[str], format: str) -> int:  # noqa: A002 - the option's name
    """Report every refused line as a diagnostic at that line."""
    from hbspec.cli.outcome import exit_code, show

    report = Report(files=tuple(files), diagnostics=tuple(entry for file in files for entry in _refused(file)))
    show(report, format)
    return exit_code(report)


def _refused(file: str) -> Iterator[Diagnostic]:
    from hbspec.dataset import read_records

    for record in read_records(Path(file)):
        if isinstance(record, Finding):
            yield at_line(file, record)


def at_line(file: str, finding: Finding) -> Diagnostic:
    """A finding of the data, whose route ends in its line, at that line of its file."""
    line = finding.route[-1]
    start = Position(line if isinstance(line, int) else 1, 1)
    return Diagnostic(
        code=finding.code,
        name=finding.name,
        severity=finding.severity,
        confidence=finding.confidence,
        file=file,
        route=(),
        span=Span(file, start, start),
        message=finding.message,
        help=finding.help,
    )


COMMAND = Command(
    "data check", "Say which lines of training data cannot be used.", run, (FILES, format_of("text", "json", "github"))
)
