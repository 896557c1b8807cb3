"""Printing of a report, and its exit code."""

from __future__ import annotations

import sys

from hbspec.cli.exit_codes import ERRORS, OK, UNUSABLE
from hbspec.diagnostics import Report
from hbspec.manual.text import UNREADABLE_FILE


def show(report: Report, format: str, *, quiet: bool = False) -> None:  # noqa: A002 - as in `--format`
    """Write a report to standard output as text, json, sarif or github annotations."""
    if format == "text":
        from hbspec.render.paint import columns, write
        from hbspec.render.report import report_lines

        write(report_lines(report, columns(), quiet=quiet), sys.stdout)
    elif format == "github":
        from hbspec.render.github import github_lines

        sys.stdout.writelines(github_lines(report))
    else:
        from hbspec.manual import page_of
        from hbspec.render.plain_json import json_text
        from hbspec.render.sarif import sarif

        sys.stdout.write(json_text(report.to_dict() if format == "json" else sarif(report, page_of)))


def refuse(report: Report) -> int:
    """Print on standard error why a command has no result, and return the exit code."""
    from hbspec.render.paint import columns, write
    from hbspec.render.report import report_lines

    write(report_lines(report, columns()), sys.stderr)
    return exit_code(report)


def exit_code(report: Report) -> int:
    """The exit code of a report: 2 if a file named on the command line could not be read, else 1 for errors, else 0.

    An unreadable file that a *spec* names is an error at a place in that spec.
    """
    if any(entry.code == UNREADABLE_FILE.code and entry.span is None for entry in report.diagnostics):
        return UNUSABLE
    return OK if report.ok else ERRORS
