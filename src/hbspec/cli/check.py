"""`hbspec check`: every error, warning and note about specs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from hbspec.cli.command import Command, Parameter
from hbspec.cli.options import ALLOW_OUTSIDE, AS_OF, CATALOG, SET, format_of
from hbspec.diagnostics import Report

HERE = (".",)


def run(
    paths: Sequence[str],
    overrides: Sequence[str],
    as_of: date | None,
    allow_outside: bool,
    catalog: Path | None,
    skip_other: bool,
    format: str,  # noqa: A002 - the option's name
    quiet: bool,
) -> int:
    """Check every spec that the paths name, print the report in the format, and return the exit code."""
    from hbspec.api import check
    from hbspec.cli.outcome import exit_code, show
    from hbspec.rules.engine import merge
    from hbspec.source import discover
    from hbspec.spec import section_keys

    found = discover(paths or HERE, section_keys(()) or (), skip_other=skip_other)
    given: dict[str, Any] = {"allow_outside": allow_outside, "as_of": as_of, "prices": catalog}
    reports = [check(file, overrides=overrides, **given) for file in found.specs]
    if found.diagnostics or found.passed_over or len(reports) != 1:
        unread = tuple(diagnostic.file for diagnostic in found.diagnostics)
        reports.append(Report(files=unread, diagnostics=found.diagnostics, passed_over=found.passed_over))
        report = merge(reports)
    else:
        (report,) = reports
    show(report, format, quiet=quiet)
    return exit_code(report)


COMMAND = Command(
    "check",
    "Check specs, and report everything that is wrong with them.",
    run,
    (
        Parameter(
            "paths",
            "Spec files, folders (all files below that look like specs), or `-` for standard input; the current folder "
            "by default.",
            metavar="PATHS",
            repeated=True,
        ),
        format_of("text", "json", "sarif", "github"),
        SET,
        AS_OF,
        ALLOW_OUTSIDE,
        CATALOG,
        Parameter("skip_other", "Pass over named files that are not specs.", ("--skip-other",), switch=True),
        Parameter("quiet", "Show only errors, without the summary (text format).", ("--quiet", "-q"), switch=True),
    ),
    "Every named file is checked, even if others have errors. In a folder, YAML files that do not look like specs and "
    "hidden files that do are passed over, counted and listed. Exit code 0: no errors. 1: errors found. 2: a file "
    "could not be read, even if others have errors.",
)
