"""`hbspec status`: how a training job is doing, attempt by attempt."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from hbspec.cli.command import Command
from hbspec.cli.exit_codes import ERRORS, OK
from hbspec.cli.options import SET, format_of
from hbspec.cli.service_asked import JOB, REGION


def run(
    job: str,
    region: str | None,
    format: str,  # noqa: A002 - the option's name
    overrides: Sequence[str],
) -> int:
    """Print the status of every attempt of a spec's job, or of one attempt; return the exit code."""
    from hbspec.api import InvalidSpecError
    from hbspec.cli.outcome import refuse
    from hbspec.cli.service_asked import asked, said
    from hbspec.render.paint import columns, write
    from hbspec.render.plain_json import json_text
    from hbspec.render.service import alternative_lines, status_lines
    from hbspec.service.attempts import attempts
    from hbspec.service.client import ServiceError
    from hbspec.service.status import status

    try:
        meant = asked(job, region, overrides)
        names = [one.name for one in attempts(meant.clients, meant.name)] if meant.of_spec else [meant.name]
        found = [status(meant.clients, name) for name in names]
    except InvalidSpecError as invalid:
        return refuse(invalid.report)
    except ServiceError as failed:
        said(str(failed))
        return ERRORS
    if format == "json":
        sys.stdout.write(json_text({"format_version": 1, "attempts": [one.to_dict() for one in found]}))
        return OK
    if not found:
        said(f"{meant.name} was never started in {meant.clients.region}; start it with `hbspec submit`")
    write(status_lines(found, meant.price, columns()), sys.stdout)
    if found and found[-1].lacked_capacity and meant.analysis is not None:
        write(alternative_lines(meant.analysis, job, columns()), sys.stdout)
    return OK


COMMAND = Command(
    "status",
    "Tell how a training job at SageMaker is doing.",
    run,
    (JOB, REGION, format_of("text", "json"), SET),
    "Of a spec, every attempt is told. Exit code 0: told; 1: the service refused, or the job does not exist. Needs the "
    "extra `sagemaker`.",
)
