"""`hbspec watch`: the log of a job beside its estimates, once or while it is written."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from hbspec.cli.command import Command, MisuseError, Parameter
from hbspec.cli.exit_codes import ERRORS, OK
from hbspec.cli.options import ALLOW_OUTSIDE, AS_OF, CATALOG, SET, SPEC, format_of

if TYPE_CHECKING:
    from hbspec.api import Estimates
    from hbspec.watching import WatchedLog

LOG = Parameter(
    "log",
    "The job's log, `-` for standard input (as from `tail -f`), a trainer_state.json, or the name of a training job at "
    "SageMaker; the last attempt of the spec's own job by default.",
    metavar="LOG",
)


def run(
    spec: str,
    log: str | None,
    follow: bool,
    record: Path | None,
    format: str,  # noqa: A002 - the option's name
    overrides: Sequence[str],
    as_of: date | None,
    allow_outside: bool,
    catalog: Path | None,
    force: bool,
) -> int:
    """Print what a log says beside what was predicted; return the exit code."""
    from hbspec.api import InvalidSpecError, estimate
    from hbspec.cli.outcome import refuse
    from hbspec.cli.watched_log import watched_log

    if spec == log == "-":
        raise MisuseError("the spec and the log cannot both come from standard input: give the path of one")
    place = _place(record, force=force)
    try:
        estimates = estimate(spec, overrides=overrides, allow_outside=allow_outside, as_of=as_of, prices=catalog)
    except InvalidSpecError as invalid:
        return refuse(invalid.report)
    found = watched_log(estimates, log, follow=follow, shown=format == "text")
    _show(found, format)
    recorded = place is None or _record(estimates, found, place, force=force)
    return OK if found.ok and recorded else ERRORS


def _show(found: WatchedLog, format: str) -> None:  # noqa: A002 - as in `--format`
    if format == "json":
        from hbspec.render.plain_json import json_text

        sys.stdout.write(json_text(found.to_dict()))
        return
    from hbspec.render.paint import columns, write
    from hbspec.render.watched import watched_lines

    write(watched_lines(found, columns()), sys.stdout)


def _place(record: Path | None, *, force: bool) -> Path | None:
    """Where the record goes; whatever is wrong with that is said before anything is read."""
    if record is None:
        return None
    if record.exists() and not force:
        raise MisuseError(f"{record} exists; give --force to replace it, or --record another name")
    if record.is_dir() or not record.parent.is_dir():
        raise MisuseError(f"{record} is a folder, or the folder that it is to be in does not exist")
    return record


def _record(estimates: Estimates, found: WatchedLog, place: Path, *, force: bool) -> bool:
    """Write the calibration record, whole or not at all; whether the log holds what it needs."""
    from hbspec.cli.whole import write_file
    from hbspec.render.paint import write
    from hbspec.render.plain_json import json_text
    from hbspec.watching.record import recorded

    made = recorded(estimates, found)
    if made.values is not None:
        write_file(place, json_text(dict(made.values)).encode(), replace=force)
    write((((("", f"hbspec: {text}"),)) for text in _said(made.values is not None, made.lacking, place)), sys.stderr)
    return made.values is not None


def _said(written: bool, lacking: Sequence[str], place: Path) -> Iterator[str]:
    if written:
        yield f"{place}: the record; set calibration.record to ./{place.name} in a spec beside it"
    else:
        yield f"{place} is not written: the log does not hold what a calibration record needs"
    for reason in lacking:
        yield f"not in the record: {reason}" if written else reason


COMMAND = Command(
    "watch",
    "Show a job's log beside its estimates: how far it is, when it ends, what it costs, and which bound broke.",
    run,
    (
        SPEC,
        LOG,
        Parameter("follow", "Go on reading a file as it grows, until the job ends.", ("--follow", "-f"), switch=True),
        Parameter(
            "record",
            "Write what was measured as a calibration record, as `hbspec measure` does.",
            ("--record",),
            "FILE",
            convert=Path,
        ),
        format_of("text", "json"),
        SET,
        AS_OF,
        ALLOW_OUTSIDE,
        CATALOG,
        Parameter("force", "Replace the record if it exists.", ("--force",), switch=True),
    ),
    "Reads what the shipped script prints, also with the times that `aws logs tail` puts before it. Exit code 0: no "
    "bound of `monitoring` broke; 1: one broke, the job failed, the log is of another job, or a record was asked for "
    "and is not written; 2: a file could not be read.",
)
