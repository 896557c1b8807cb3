"""Specs whose findings are fixed in their files, or whose fixes are shown."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from difflib import unified_diff
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from hbspec.cli.command import MisuseError
from hbspec.cli.edited_spec import replace_text
from hbspec.diagnostics import Report
from hbspec.fixes.fixing import Fixed, fixed
from hbspec.showing import shown
from hbspec.source import load
from hbspec.source.files import read_text
from hbspec.source.problems import Problems

STDIN = "-"


class FixedSpecs(NamedTuple):
    """What came of several specs: how many are changed, the report on each by its name, and those left unwritten."""

    changed: int
    reports: Mapping[str, Report]
    unwritten: int


def fix_specs(specs: Sequence[str], given: Mapping[str, Any], *, fix: bool, unsafe: bool, diff: bool) -> FixedSpecs:
    """Fix every spec in its file, or print what would be changed.

    Each file is written whole or not at all, and only if it still holds what was judged; why one is not written is said
    on standard error. What cannot be read is left to the report.

    Raises:
        MisuseError: the fixes would go nowhere, or would not be those of the file.
    """
    if not (fix or diff):
        raise MisuseError("--unsafe-fixes goes with --fix or --diff")
    if STDIN in specs:
        raise MisuseError("--fix and --diff edit files: standard input has none")
    if given["overrides"]:
        raise MisuseError("--fix and --diff edit files, in which the values of --set are not: write them into it first")
    changed, unwritten, reports = 0, 0, {}
    for spec in specs:
        found = _fixed(spec, given, unsafe=unsafe)
        if found is None:
            continue
        reports[spec] = found.report
        if found.after != found.before and diff:
            changed += 1
            _show(spec, found)
        elif found.after != found.before:
            try:
                replace_text(Path(spec), found.before, found.after)
                changed += 1
            except MisuseError as reason:
                sys.stderr.write(f"hbspec: {shown(str(reason))}\n")
                unwritten += 1
                del reports[spec]
                continue
        _say(spec, found, "would fix" if diff else "fixed")
    return FixedSpecs(changed, reports, unwritten)


def _fixed(spec: str, given: Mapping[str, Any], *, unsafe: bool) -> Fixed | None:
    """A spec with its fixes; None where its file is not a text."""
    text = read_text(Path(spec), spec, spec, Problems())
    if text is None:
        return None
    read = partial(load, spec, allow_outside=given["allow_outside"], text=text)
    return fixed(text, read, partial(_judge, spec, given), unsafe=unsafe)


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
