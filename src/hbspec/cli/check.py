"""`hbspec check`: everything that is wrong with specs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from hbspec.cli.command import Command, Parameter
from hbspec.cli.options import ALLOW_OUTSIDE, AS_OF, SET, format_of
from hbspec.diagnostics import Report

HERE = (".",)


def run(
    paths: Sequence[str],
    overrides: Sequence[str],
    as_of: date | None,
    allow_outside: bool,
    skip_other: bool,
    format: str,  # noqa: A002 - the option's name
    quiet: bool,
) -> int:
    """Check every spec that the paths mean, and say what was found in one of the formats."""
    from hbspec.api import check
    from hbspec.cli.outcome import exit_code, show
    from hbspec.rules.engine import merge
    from hbspec.source import SourceError, discover

    wanted = paths or HERE
    try:
        files = discover(_specs_only(wanted) if skip_other else wanted)
    except SourceError as reason:
        reports = [Report(files=tuple(wanted), diagnostics=reason.diagnostics)]
    else:
        reports = [check(file, overrides=overrides, allow_outside=allow_outside, as_of=as_of) for file in files]
    report = reports[0] if len(reports) == 1 else merge(reports)
    show(report, format, quiet=quiet)
    return exit_code(report)


def _specs_only(paths: Sequence[str]) -> list[str]:
    """Without the files that are some other YAML; folders and standard input stay."""
    from hbspec.source.discover import looks_like_spec

    return [path for path in paths if not Path(path).is_file() or looks_like_spec(Path(path))]


COMMAND = Command(
    "check",
    "Say everything that is wrong with specs.",
    run,
    (
        Parameter(
            "paths",
            "Spec files, folders (every spec below them), or `-` for standard input; this folder if absent.",
            metavar="PATHS",
            repeated=True,
        ),
        format_of("text", "json", "sarif", "github"),
        SET,
        AS_OF,
        ALLOW_OUTSIDE,
        Parameter("skip_other", "Pass over named files that are no specs.", ("--skip-other",), switch=True),
        Parameter("quiet", "Text: errors only, and no summary.", ("--quiet", "-q"), switch=True),
    ),
    "Exit code 0: no errors. 1: errors found. 2: a file could not be read.",
)
