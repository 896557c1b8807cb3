"""Printing of a report, and its exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from hbspec.cli.exit_codes import ERRORS, OK, UNUSABLE
from hbspec.diagnostics import Report, Severity
from hbspec.manual.text import UNREADABLE_FILE

FORMATS = ("text", "concise", "json", "sarif", "github", "gitlab", "junit", "markdown")
"""The formats of a report, the default first."""


def show(
    report: Report,
    format: str,  # noqa: A002 - as in `--format`
    *,
    quiet: bool = False,
    statistics: bool = False,
    output_file: Path | None = None,
    full: bool = True,
    following: str = "",
) -> None:
    """Write a report in one of `FORMATS`, or how often each code is in it, to standard output or to a file.

    Unless it is to be `full`, a text on a terminal is no longer than its screen. `following` is the command that a user
    at a terminal may want next.
    """
    if output_file is not None:
        from hbspec.cli.whole import write_file

        text = "".join(_statistics(report, format) if statistics else _text(report, format, quiet=quiet))
        write_file(output_file, text.encode(errors="surrogateescape"), replace=True)
    elif format == "text" and not statistics:
        from hbspec.render.paint import columns, write
        from hbspec.render.report import report_lines
        from hbspec.render.screen import room

        lines = list(report_lines(report, columns(), quiet=quiet))
        space = None if full else room(sys.stdout)
        if space is not None and len(lines) + bool(following) > space:
            from hbspec.render.short_report import short_report_lines

            lines = list(short_report_lines(report, columns(), space - bool(following), quiet=quiet))
        if following and sys.stdout.isatty():
            lines.append((("faint", f"next: {following}"),))
        write(lines, sys.stdout)
    else:
        sys.stdout.writelines(_statistics(report, format) if statistics else _text(report, format, quiet=quiet))


def _text(report: Report, format: str, *, quiet: bool) -> Iterable[str]:  # noqa: A002 - as in `--format`
    """The parts of a report without colours."""
    if format in ("text", "concise"):
        from hbspec.render.paint import plain
        from hbspec.render.report import concise_lines, report_lines

        return plain(report_lines(report, quiet=quiet) if format == "text" else concise_lines(report, quiet=quiet))
    if format == "github":
        from hbspec.render.github import github_lines

        return github_lines(report)
    if format == "markdown":
        from hbspec.render.report_markdown import markdown_lines

        return markdown_lines(report)
    if format == "junit":
        from hbspec.render.junit import junit

        return (junit(report),)
    return (_json(report, format),)


def _json(report: Report, format: str) -> str:  # noqa: A002 - as in `--format`
    from hbspec.render.plain_json import json_text

    if format == "gitlab":
        from hbspec.render.gitlab import gitlab

        return json_text(gitlab(report))
    if format == "sarif":
        from hbspec.manual import page_of
        from hbspec.render.sarif import sarif

        return json_text(sarif(report, page_of))
    return json_text(report.to_dict())


def _statistics(report: Report, format: str) -> Iterator[str]:  # noqa: A002 - as in `--format`
    from hbspec.render.statistics import counts, statistics_lines

    if format == "json":
        from hbspec.render.plain_json import json_text

        yield json_text({"format_version": 1, "statistics": counts(report)})
    else:
        yield from statistics_lines(report)


def refuse(report: Report) -> int:
    """Print on standard error why a command has no result, and return the exit code."""
    from hbspec.render.paint import columns, write
    from hbspec.render.report import report_lines

    write(report_lines(report, columns()), sys.stderr)
    return exit_code(report)


def exit_code(report: Report, *, strict: bool = False, exit_zero: bool = False) -> int:
    """The exit code of a report: 2 if a file named on the command line could not be read, else 1 for errors, else 0.

    An unreadable file that a *spec* names is an error at a place in that spec.

    Args:
        report: the result of a check.
        strict: whether warnings fail, too.
        exit_zero: whether errors do not fail.
    """
    if any(entry.code == UNREADABLE_FILE.code and entry.span is None for entry in report.diagnostics):
        return UNUSABLE
    fails = not report.ok or (strict and report.count(Severity.WARNING))
    return ERRORS if fails and not exit_zero else OK
