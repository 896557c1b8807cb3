"""Specs whose findings are fixed in their files, or whose fixes are shown."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from difflib import unified_diff
from functools import partial
from pathlib import Path
from typing import Any

from hbspec.cli.command import MisuseError
from hbspec.cli.edited_spec import replace_text
from hbspec.diagnostics import Report
from hbspec.fixes.fixing import Fixed, fixed
from hbspec.showing import shown
from hbspec.source import SourceError, load

STDIN = "-"


def fix_specs(specs: Sequence[str], given: Mapping[str, Any], *, fix: bool, unsafe: bool, diff: bool) -> int:
    """Fix every spec in its file, or print what would be changed; the number of specs that are changed.

    Each file is written whole or not at all, and only if it still holds what was judged. What cannot be read is left to
    the report.

    Raises:
        MisuseError: the fixes would go nowhere, or would not be those of the file.
    """
    if not (fix or diff):
        raise MisuseError("--unsafe-fixes goes with --fix or --diff")
    if STDIN in specs:
        raise MisuseError("--fix and --diff edit files: standard input has none")
    if given["overrides"]:
        raise MisuseError("--fix and --diff edit files, in which the values of --set are not: write them into it first")
    changed = 0
    for spec in specs:
        try:
            document = load(spec, allow_outside=given["allow_outside"])
        except SourceError:
            continue
        found = fixed(document, partial(_judge, spec, given), unsafe=unsafe)
        if found.after != found.before:
            changed += 1
            if diff:
                _show(spec, found)
            else:
                replace_text(Path(spec), found.before, found.after)
        _say(spec, found, "would fix" if diff else "fixed")
    return changed


def _judge(spec: str, given: Mapping[str, Any], text: str) -> Report:
    from hbspec.api import check

    return check(spec, **given, text=text)


def _show(spec: str, found: Fixed) -> None:
    before, after = found.before.splitlines(keepends=True), found.after.splitlines(keepends=True)
    for line in unified_diff(before, after, spec, f"{spec} (fixed)"):
        sys.stdout.write(shown(line.rstrip("\r\n")) + "\n")


def _say(spec: str, found: Fixed, verb: str) -> None:
    """What was done and what was not, on standard error."""
    for one in found.applied:
        line = f":{one.finding.span.start.line}" if one.finding.span else ""
        sys.stderr.write(f"{shown(f'{verb} {spec}{line}: {one.finding.code} {one.finding.name}: {one.fix.title}')}\n")
    for other in found.left:
        text = f"not fixed {spec}: {other.finding.code} {other.finding.name}: {other.reason}"
        sys.stderr.write(f"{shown(text)}\n")
