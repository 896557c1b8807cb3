"""`hbspec logs`: the lines that a training job has printed."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from hbspec.cli.command import Command, Parameter
from hbspec.cli.exit_codes import ERRORS, OK
from hbspec.cli.options import SET
from hbspec.cli.service_asked import JOB, REGION


def run(job: str, region: str | None, follow: bool, overrides: Sequence[str]) -> int:
    """Print the lines of the last attempt, each with its host where there are several; return the exit code."""
    from hbspec.api import InvalidSpecError
    from hbspec.cli.outcome import refuse
    from hbspec.cli.service_asked import asked, last_attempt, said
    from hbspec.service.client import ServiceError
    from hbspec.service.logs import followed_lines, log_lines
    from hbspec.service.status import status
    from hbspec.showing import shown

    told = 0
    try:
        meant = asked(job, region, overrides)
        name = last_attempt(meant)
        several = status(meant.clients, name).instances > 1
        for line in followed_lines(meant.clients, name, said) if follow else log_lines(meant.clients, name):
            if line is None:
                continue
            told += 1
            sys.stdout.write(shown(f"{line.host}: {line.text}" if several else line.text) + "\n")
            if follow:
                sys.stdout.flush()
    except InvalidSpecError as invalid:
        return refuse(invalid.report)
    except ServiceError as failed:
        said(str(failed))
        return ERRORS
    if not told:
        said(f"{name} has not printed anything yet")
    return OK


COMMAND = Command(
    "logs",
    "Print what a training job at SageMaker has printed.",
    run,
    (
        JOB,
        REGION,
        Parameter("follow", "Go on until the job has ended.", ("--follow", "-f"), switch=True),
        SET,
    ),
    "Of a spec, the last attempt is meant. Exit code 0: printed; 1: the service refused, or the job does not exist. "
    "Needs the extra `sagemaker`.",
)
