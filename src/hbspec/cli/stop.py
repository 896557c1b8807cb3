"""`hbspec stop`: stop a training job, which saves before it ends."""

from __future__ import annotations

from collections.abc import Sequence

from hbspec.cli.command import Command, Parameter
from hbspec.cli.exit_codes import ERRORS, OK
from hbspec.cli.options import SET
from hbspec.cli.service_asked import JOB, REGION


def run(job: str, region: str | None, yes: bool, overrides: Sequence[str]) -> int:
    """Ask for the last attempt to be stopped, unless it has ended; return the exit code."""
    from hbspec.api import InvalidSpecError
    from hbspec.cli.outcome import refuse
    from hbspec.cli.service_asked import agreed, asked, last_attempt, refuse_without_an_answer, said
    from hbspec.service.client import ServiceError
    from hbspec.service.status import status
    from hbspec.service.stopping import stop

    refuse_without_an_answer("stop", yes=yes)
    try:
        meant = asked(job, region, overrides)
        name = last_attempt(meant)
        found = status(meant.clients, name)
        if found.ended or found.status == "Stopping":
            said(f"{name} is {found.status} already; nothing was asked for")
            return OK
        if not (yes or agreed(f"Stop {name}?")):
            said("nothing was stopped")
            return ERRORS
        stop(meant.clients, name)
    except InvalidSpecError as invalid:
        return refuse(invalid.report)
    except ServiceError as failed:
        said(str(failed))
        return ERRORS
    said(f"{name} is being stopped: it ends within two minutes, and is billed until then")
    said("the shipped script saves a checkpoint before that; submit the same spec again to continue from there")
    if meant.alarms:
        at = f"--region {meant.clients.region}"
        said("its alarms and its dashboard stay, and are billed. To delete them:")
        said(f"  aws cloudwatch delete-alarms {at} --alarm-names {' '.join(meant.alarms)}")
        said(f"  aws cloudwatch delete-dashboards {at} --dashboard-names {meant.name}")
    return OK


COMMAND = Command(
    "stop",
    "Stop a training job at SageMaker, which saves before it ends.",
    run,
    (JOB, REGION, Parameter("yes", "Stop the job without asking.", ("--yes", "-y"), switch=True), SET),
    "Of a spec, the last attempt is meant. Exit code 0: it is being stopped, or has ended; 1: the service refused, "
    "the job does not exist, or a no; 2: misuse. Needs the extra `sagemaker`.",
)
