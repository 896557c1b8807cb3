"""`hbspec estimate`: a job's memory, time and cost."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from hbspec.cli.command import Command
from hbspec.cli.exit_codes import OK
from hbspec.cli.options import ALLOW_OUTSIDE, AS_OF, CATALOG, SET, SPEC, format_of


def run(
    spec: str,
    overrides: Sequence[str],
    as_of: date | None,
    allow_outside: bool,
    catalog: Path | None,
    format: str,  # noqa: A002 - the option's name
) -> int:
    """Print the estimates, or every reason why the spec cannot be estimated; return the exit code."""
    from hbspec.api import InvalidSpecError, estimate
    from hbspec.cli.outcome import refuse

    try:
        estimates = estimate(spec, overrides=overrides, allow_outside=allow_outside, as_of=as_of, prices=catalog)
    except InvalidSpecError as invalid:
        return refuse(invalid.report)
    if format == "json":
        from hbspec.render.plain_json import json_text

        sys.stdout.write(json_text(estimates.to_dict()))
    else:
        from hbspec.render.estimates import estimate_lines
        from hbspec.render.paint import columns, write

        write(estimate_lines(estimates, columns()), sys.stdout)
    return OK


COMMAND = Command(
    "estimate",
    "Estimate a job's memory, time and cost, itemised.",
    run,
    (SPEC, format_of("text", "json"), SET, AS_OF, ALLOW_OUTSIDE, CATALOG),
)
