"""The log of a training job at SageMaker, as `watch` and `verify` read it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hbspec.cli.command import MisuseError
from hbspec.cli.service_asked import Asked, last_attempt, refuse_without_boto3, said

if TYPE_CHECKING:
    from hbspec.api import Estimates
    from hbspec.service.client import Clients
    from hbspec.watching import LogLines

NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
"""A training job's name, by the service's API model."""


def names_a_job(log: str | None) -> bool:
    """Whether a log is that of a job: none is named, or what is named is not a file and could be a job."""
    return log is None or (NAME.fullmatch(log) is not None and not Path(log).exists())


class JobLog(NamedTuple):
    """The log of an attempt: its name, its lines, and why they break off, which is told when they have been read."""

    name: str
    lines: LogLines
    broken_off: list[str]


def job_log(estimates: Estimates, name: str | None, *, follow: bool) -> JobLog:
    """The log of an attempt; of the spec's job that of the last one, if none is named.

    Args:
        estimates: of the spec.
        name: the attempt's name.
        follow: go on until it has ended.

    Raises:
        MisuseError: boto3 is missing, the job does not exist, or the service does not answer.
    """
    refuse_without_boto3()
    from hbspec.service.client import Clients, ServiceError
    from hbspec.service.status import status

    try:
        clients = Clients(estimates.analysis.spec.instance.region)
        found = name or last_attempt(Asked(clients, _job_of(estimates), of_spec=True))
        status(clients, found)
    except ServiceError as failed:
        wanted = f"{name} is not a file, and of a training job: " if name else ""
        raise MisuseError(f"{wanted}{failed}") from None
    broken_off: list[str] = []
    return JobLog(found, _lines(clients, found, broken_off, follow=follow), broken_off)


def _job_of(estimates: Estimates) -> str:
    """The name of the spec's job.

    Raises:
        MisuseError: the spec is not of a SageMaker job.
    """
    from hbspec.targets.lowering.needs import LoweringError
    from hbspec.targets.sagemaker import lower

    try:
        return lower(estimates.analysis).name
    except LoweringError:
        raise MisuseError("the spec cannot be compiled for SageMaker: name the job's log") from None


def _lines(clients: Clients, name: str, broken_off: list[str], *, follow: bool) -> LogLines:
    """The lines; what was read stays read where the service does not answer any more.

    Raises:
        MisuseError: not a single line could be read.
    """
    from hbspec.service.client import ServiceError
    from hbspec.service.logs import followed_lines, log_lines
    from hbspec.watching import LogLine

    read = 0
    try:
        for line in followed_lines(clients, name, said) if follow else log_lines(clients, name):
            read += line is not None
            yield None if line is None else LogLine(line.text.encode(), line.seconds)
    except ServiceError as failed:
        if not read:
            raise MisuseError(str(failed)) from None
        broken_off.append(str(failed))
