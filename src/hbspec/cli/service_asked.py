"""What the commands that ask SageMaker share: which job is meant, and lines on what is under way."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hbspec.cli.command import MisuseError, Parameter

if TYPE_CHECKING:
    from hbspec.analysis import Analysis
    from hbspec.plan import UnitPrice
    from hbspec.service.client import Clients

SPEC_SUFFIXES = (".yaml", ".yml", ".json")
JOB = Parameter("job", "The name of a training job, or the file of its spec.", metavar="JOB", required=True)
REGION = Parameter("region", "The AWS region of the job; that of the spec, or of boto3.", ("--region",), "REGION")


class Asked(NamedTuple):
    """A job that a command line names.

    Attributes:
        clients: the services of its region.
        name: the name; of a spec, that of the first attempt.
        of_spec: whether a spec was named, so that the last attempt is meant.
        price: the price of one instance, if a spec tells it.
        analysis: of the spec.
        alarms: the names of the alarms that the spec sets.
    """

    clients: Clients
    name: str
    of_spec: bool
    price: UnitPrice | None = None
    analysis: Analysis | None = None
    alarms: tuple[str, ...] = ()


def refuse_without_boto3() -> None:
    """Nothing where AWS can be asked.

    Raises:
        MisuseError: boto3 is missing.
    """
    if find_spec("boto3") is None:
        raise MisuseError("this command talks to AWS and needs boto3: pip install 'hbspec[sagemaker]'")


def refuse_without_an_answer(command: str, *, yes: bool) -> None:
    """Nothing where a question can be answered, or was.

    Raises:
        MisuseError: standard input is not a terminal.
    """
    if not yes and not sys.stdin.isatty():
        raise MisuseError(f"{command} asks before it does anything, and nobody can answer here: give --yes")


def agreed(question: str) -> bool:
    """Whether the user answers a question with yes."""
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def asked(job: str, region: str | None, overrides: Sequence[str]) -> Asked:
    """The job that a word of the command line means.

    Raises:
        InvalidSpecError: the spec cannot be compiled.
        MisuseError: boto3 is missing.
        ServiceError: no region is known.
    """
    refuse_without_boto3()
    from hbspec.service.client import Clients

    if not (job.endswith(SPEC_SUFFIXES) or Path(job).is_file()):
        return Asked(Clients(region), job, of_spec=False)
    from hbspec.api import compilation
    from hbspec.service.job import submitted_job

    compiled = compilation(job, "sagemaker", overrides=overrides, force=True)
    found = submitted_job(compiled)
    return Asked(
        Clients(region or found.region),
        found.name,
        of_spec=True,
        price=compiled.analysis.plan.price,
        analysis=compiled.analysis,
        alarms=found.alarms,
    )


def last_attempt(asked: Asked) -> str:
    """The name of the attempt that is meant.

    Raises:
        ServiceError: the job was never started, or the question was not answered.
    """
    from hbspec.service.attempts import attempts
    from hbspec.service.client import ServiceError

    if not asked.of_spec:
        return asked.name
    made = attempts(asked.clients, asked.name)
    if not made:
        raise ServiceError(f"{asked.name} was never started in {asked.clients.region}", "start it with `hbspec submit`")
    return made[-1].name


def said(text: str) -> None:
    """Print a line on what is under way, on standard error."""
    from hbspec.render.paint import write

    write(((("", f"hbspec: {text}"),),), sys.stderr)
