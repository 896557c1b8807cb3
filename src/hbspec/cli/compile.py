"""`hbspec compile`: the files of a target, written to a folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hbspec.cli.command import Command, MisuseError, Parameter
from hbspec.cli.configured import CONFIG, NO_CONFIG, POLICY, POLICY_DIGEST, configured, policed
from hbspec.cli.exit_codes import ERRORS, OK
from hbspec.cli.options import ALLOW_OUTSIDE, CATALOG, SET, SPEC
from hbspec.cli.places import default_folder
from hbspec.diagnostics import Report
from hbspec.render.lines import Line
from hbspec.targets import DEFAULT, names, target_of

if TYPE_CHECKING:
    from hbspec.analysis.release import Release
    from hbspec.api import Compilation


def run(
    spec: str,
    target: str,
    output: str | None,
    overrides: Sequence[str],
    allow_outside: bool,
    catalog: Path | None,
    config: Path | None,
    no_config: bool,
    record: Path | None,
    without_evaluation: str | None,
    force: bool,
    policy: Path | None,
    policy_digest: str | None,
    check: bool,
) -> int:
    """Compile, write all files or none, and list them; the report goes to standard error.

    With `check`, nothing is written: the files are compared with those of the folder.
    """
    from hbspec.api import InvalidSpecError, compilation
    from hbspec.cli.folder import RefusedError, write
    from hbspec.cli.next_step import next_step
    from hbspec.cli.outcome import refuse
    from hbspec.render import paint

    configuration = configured(config, no_config)
    given: dict[str, Any] = {"overrides": overrides, "allow_outside": allow_outside, "force": force}
    given |= {"prices": catalog or configuration.catalog, "configuration": configuration}
    given["policy"] = policed(configuration, policy, policy_digest)
    given["release"] = _release(target, record, without_evaluation)
    try:
        compiled = compilation(spec, target, **given)
    except InvalidSpecError as invalid:
        return refuse(invalid.report)
    report = compiled.report
    folder = Path(output) if output else default_folder(compiled.spec.name, target)
    if check:
        return _compared(compiled, folder, spec)
    try:
        written = write(compiled.artifacts, folder)
    except RefusedError as reason:
        return refuse(Report(files=report.files, diagnostics=reason.diagnostics))
    if report.diagnostics:
        refuse(report)
    following = next_step(folder, target_of(target), compiled.spec)
    paint.write(_lines(folder, written.files, written.removed, following, forced=not report.ok), sys.stdout)
    return OK


def _compared(compiled: Compilation, folder: Path, spec: str) -> int:
    """Say whether a folder holds what the spec compiles to, and return the exit code."""
    from hbspec.cli.outcome import refuse
    from hbspec.cli.up_to_date import differing
    from hbspec.render import paint

    if not compiled.report.ok:
        return refuse(compiled.report)
    paths = differing(compiled.artifacts, folder)
    if not paths:
        paint.write(((("path", str(folder)), ("", f" is what {spec} compiles to")),), sys.stdout)
        return OK
    lines: list[Line] = [(("path", str(folder)), ("", f" is not what {spec} compiles to; these differ:"))]
    lines += [(("", f"  {path}" if (folder / path).exists() else f"  {path} (missing)"),) for path in paths]
    paint.write((*lines, (("", "next: compile again, without --check, and look at the changes"),)), sys.stdout)
    return ERRORS


def _release(target: str, record: Path | None, reason: str | None) -> Release | None:
    """What lets a deployment out, if one is named.

    Raises:
        MisuseError: both are named, the target deploys nothing, or the record cannot be read.
    """
    if record is None and reason is None:
        return None
    if record is not None and reason is not None:
        raise MisuseError("--record and --without-evaluation exclude each other: give one")
    if not (target_of(target).deploys or target_of(target).serves):
        raise MisuseError(f"the target {target} deploys nothing: leave out --record and --without-evaluation")
    from hbspec.analysis.release import Release, read_record

    if record is None:
        return Release(None, "", reason)
    try:
        return Release(read_record(record), record.name, None)
    except ValueError as refused:
        raise MisuseError(str(refused)) from None


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
    "Compile a spec, and write the files of a target.",
    run,
    (
        SPEC,
        Parameter("target", "The target to compile to.", ("--target", "-t"), choices=names(), default=DEFAULT),
        Parameter("output", "The folder to write to; build/NAME/TARGET by default.", ("--output", "-o"), "DIR"),
        SET,
        ALLOW_OUTSIDE,
        CATALOG,
        CONFIG,
        NO_CONFIG,
        POLICY,
        POLICY_DIGEST,
        Parameter(
            "record",
            "The record of an evaluation that lets a deployment out, as hbspec evaluate wrote it.",
            ("--record",),
            "FILE",
            convert=Path,
        ),
        Parameter(
            "without_evaluation",
            "Why the model is deployed without one; the reason is written into the tags.",
            ("--without-evaluation",),
            "REASON",
        ),
        Parameter(
            "check",
            "Write nothing; exit with 1 where the folder is not what the spec compiles to.",
            ("--check",),
            switch=True,
        ),
        Parameter(
            "force",
            "Compile even if the spec has errors, and say so; not what breaks a policy.",
            ("--force",),
            switch=True,
        ),
    ),
    "The folder is replaced as a whole. It must be new, or hold only an earlier compile: a file that an earlier "
    "compile did not write, or that has changed since, is never removed, not even with --force.",
)
