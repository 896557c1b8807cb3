"""`hbspec diff`: what changes between two files, or between two revisions of a repository."""

from __future__ import annotations

import sys
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hbspec.cli.command import Command, MisuseError, Parameter
from hbspec.cli.exit_codes import ERRORS, OK
from hbspec.cli.options import ALLOW_OUTSIDE, AS_OF, CATALOG, format_of
from hbspec.cli.shown import show_json, show_markdown, show_text

if TYPE_CHECKING:
    from hbspec.comparison.projects import Diff

STDIN = "-"


def run(
    old: str,
    new: str | None,
    as_of: date | None,
    allow_outside: bool,
    catalog: Path | None,
    format: str,  # noqa: A002 - the option's name
    exit_code: bool,
) -> int:
    """Print the differences, and return the exit code.

    Raises:
        MisuseError: there are not two versions to compare.
    """
    from hbspec.comparison.projects import diff_files, diff_revisions
    from hbspec.comparison.revisions import RevisionError, UnknownRevisionError

    given: dict[str, Any] = {
        "as_of": as_of,
        "allow_outside": allow_outside,
        "prices": catalog and Path(catalog).absolute(),
    }
    named = old == STDIN or Path(old).is_file()
    if named and new is None:
        raise MisuseError(f"{old} is a file, and diff takes two of them, or a revision and a spec; name the other one")
    try:
        found = diff_files(old, new, **given) if named and new else diff_revisions(old, new, **given)
    except UnknownRevisionError as reason:
        sys.stderr.write(f"hbspec: {reason}\n")
        return ERRORS
    except RevisionError as reason:
        raise MisuseError(str(reason)) from None
    _show(found, format)
    return _code(found, exit_code=exit_code)


def _show(found: Diff, format: str) -> None:  # noqa: A002 - as in `--format`
    from hbspec.render.diff import diff_lines, diff_markdown

    if format == "json":
        show_json(found.to_dict())
    elif format == "markdown":
        show_markdown(diff_markdown(found))
    else:
        show_text(partial(diff_lines, found), full=True)


def _code(found: Diff, *, exit_code: bool) -> int:
    """That of a file that cannot be read, else 1 for new errors, and for any difference if that is asked for."""
    from hbspec.cli.outcome import exit_code as code_of

    unread = max((code_of(change.new.found) for change in found.specs if change.new), default=OK)
    if unread > ERRORS:
        return unread
    return ERRORS if found.new_errors or (exit_code and found.differs) else OK


COMMAND = Command(
    "diff",
    "Show what a change to a spec changes: keys, memory, time, cost, findings, and whether the job is still the same.",
    run,
    (
        Parameter(
            "old",
            "A spec file; or a git revision, which is compared with the work tree; or OLD..NEW for two revisions; or "
            "OLD...NEW for their last common ancestor and NEW, as for a pull request.",
            metavar="OLD",
            required=True,
        ),
        Parameter(
            "new", "The other file; after a revision, a spec or a folder, by default the current folder.", metavar="NEW"
        ),
        format_of("text", "json", "markdown"),
        AS_OF,
        ALLOW_OUTSIDE,
        CATALOG,
        Parameter("exit_code", "Exit with 1 if there are any differences.", ("--exit-code",), switch=True),
    ),
    "With a revision, specs whose files are the same in both versions are counted and not judged. A revision that is "
    "named like a file is written refs/heads/NAME. Exit code 0: no new errors. 1: the new version has errors that the "
    "old one does not have; with --exit-code, any difference; or a revision does not exist. 2: a file or git is "
    "missing.",
)
