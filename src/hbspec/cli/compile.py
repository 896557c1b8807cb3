"""`hbspec compile`: the files of a target, written to a folder."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hbspec.cli.command import Command, Parameter
from hbspec.cli.exit_codes import OK
from hbspec.cli.options import ALLOW_OUTSIDE, SET, SPEC
from hbspec.cli.places import default_folder
from hbspec.diagnostics import Report
from hbspec.render.lines import Line

STDIN = "-"
TARGETS = ("sagemaker", "launch", "deployment")
"""Those of `hbspec.targets`, which are not loaded to read a command line (a test holds the two equal)."""


def run(spec: str, target: str, output: str | None, overrides: Sequence[str], allow_outside: bool, force: bool) -> int:
    """Compile, write everything or nothing, and say what was written; what is wrong goes to standard error."""
    from hbspec.api import InvalidSpecError, check, compile_spec
    from hbspec.cli.folder import RefusedError, write
    from hbspec.cli.next_step import next_step
    from hbspec.cli.outcome import refuse
    from hbspec.render import paint

    text = _standard_input() if spec == STDIN else None

    def stdin() -> io.TextIOWrapper | None:
        return None if text is None else io.TextIOWrapper(io.BytesIO(text), encoding="utf-8")

    report = check(spec, overrides=overrides, allow_outside=allow_outside, stdin=stdin())
    try:
        artifacts = compile_spec(
            spec, target, overrides=overrides, allow_outside=allow_outside, force=force, stdin=stdin()
        )
        values = _values(spec, overrides, allow_outside, stdin())
        folder = Path(output) if output else default_folder(str(values["name"]), target)
        written = write(artifacts, folder)
    except InvalidSpecError as invalid:
        return refuse(invalid.report)
    except RefusedError as reason:
        return refuse(Report(files=report.files, diagnostics=reason.diagnostics))
    if report.diagnostics:
        refuse(report)
    following = next_step(folder, target, values)
    paint.write(_lines(folder, written.files, written.removed, following, forced=not report.ok), sys.stdout)
    return OK


def _standard_input() -> bytes | None:
    """As much of it as a spec may have, to be read several times; None where it is closed.

    Raises:
        OSError: it cannot be read.
    """
    from hbspec.source.limits import MAX_BYTES

    try:
        return None if sys.stdin is None else sys.stdin.buffer.read(MAX_BYTES + 1)
    except OSError as reason:
        reason.filename = "standard input"
        raise


def _values(
    spec: str, overrides: Sequence[str], allow_outside: bool, stdin: io.TextIOWrapper | None
) -> Mapping[str, Any]:
    from hbspec.source import load

    return load(spec, overrides=overrides, allow_outside=allow_outside, stdin=stdin).values


def _lines(
    folder: Path, files: Sequence[str], removed: Sequence[str], following: str, *, forced: bool
) -> Iterator[Line]:
    yield (("path", str(folder)),)
    for path in files:
        yield (("", f"  {path}"),)
    for path in removed:
        yield (("faint", f"  {path} (removed: no longer part of the target)"),)
    yield (("", f"next: {following}"),)
    if forced:
        yield (("error", "forced: the spec has errors"),)


COMMAND = Command(
    "compile",
    "Write the files of a target.",
    run,
    (
        SPEC,
        Parameter("target", "What to compile to.", ("--target", "-t"), choices=TARGETS, default=TARGETS[0]),
        Parameter("output", "Folder to write to; build/NAME/TARGET if absent.", ("--output", "-o"), "DIR"),
        SET,
        ALLOW_OUTSIDE,
        Parameter("force", "Compile a spec that has errors, and say so.", ("--force",), switch=True),
    ),
    "The folder is replaced as a whole. It must be new, or hold an earlier compile and nothing else: a file that an "
    "earlier compile did not write, or that has changed since, is never removed, not even with --force.",
)
