"""`hbspec verify`: the claims, limits and bounds of a spec against what its log and its bill say happened."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from hbspec.cli.command import Command, MisuseError
from hbspec.cli.exit_codes import ERRORS, OK
from hbspec.cli.options import ALLOW_OUTSIDE, AS_OF, CATALOG, SET, SPEC, format_of
from hbspec.cli.watch import LOG


def run(
    spec: str,
    log: str | None,
    format: str,  # noqa: A002 - the option's name
    overrides: Sequence[str],
    as_of: date | None,
    allow_outside: bool,
    catalog: Path | None,
) -> int:
    """Print what became of every claim, limit and bound; return the exit code."""
    from hbspec.api import InvalidSpecError, estimate
    from hbspec.cli.job_bill import job_bill
    from hbspec.cli.job_log import names_a_job
    from hbspec.cli.outcome import refuse
    from hbspec.cli.watched_log import watched_log

    if spec == log == "-":
        raise MisuseError("the spec and the log cannot both come from standard input: give the path of one")
    try:
        estimates = estimate(spec, overrides=overrides, allow_outside=allow_outside, as_of=as_of, prices=catalog)
    except InvalidSpecError as invalid:
        return refuse(invalid.report)
    watched = watched_log(estimates, log, follow=False, shown=False)
    bill, untold = job_bill(estimates, watched.source) if names_a_job(log) else (None, "")
    from hbspec.watching.verified import verified

    found = verified(estimates, watched, bill, untold)
    if format == "json":
        from hbspec.render.plain_json import json_text

        sys.stdout.write(json_text(found.to_dict()))
    else:
        from hbspec.render.paint import columns, write
        from hbspec.render.verified import verified_lines

        write(verified_lines(found, columns()), sys.stdout)
    return OK if found.ok else ERRORS


COMMAND = Command(
    "verify",
    "Compare a spec's claims, budget, limits and bounds with what its job's log and bill say happened.",
    run,
    (SPEC, LOG, format_of("text", "json"), SET, AS_OF, ALLOW_OUTSIDE, CATALOG),
    "Each is held, broken, or cannot be told. Of a training job at SageMaker, time and cost are those that were "
    "billed, over all its attempts; of a file, those of its lines and of predicted phases. Exit code 0: none broke; 1: "
    "one broke, the job failed, the log is of another job, or log or bill could not be read; 2: a file could not be "
    "read.",
)
