"""The attempts of a job, found by its name: the first has the job's own, each later one a number after it."""

from __future__ import annotations

import re
from typing import NamedTuple

from hbspec.plan.training_job import LAST_ATTEMPT
from hbspec.service.client import Clients, ServiceError, asking

REPEATED = frozenset({"Failed", "Stopped"})
"""Statuses after which a job is submitted again, as another attempt."""


class Attempt(NamedTuple):
    """One attempt of a job: its name, its number from 1 on, and its status, such as `InProgress`."""

    name: str
    number: int
    status: str


def attempts(clients: Clients, job: str) -> list[Attempt]:
    """The attempts of a job, the first one first; empty if it was never started.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTrainingJobs.html

    Raises:
        ServiceError: the list was not answered.
    """
    found = []
    with asking("ListTrainingJobs"):
        for page in clients.sagemaker.get_paginator("list_training_jobs").paginate(NameContains=job):
            for row in page["TrainingJobSummaries"]:
                number = _number(job, row["TrainingJobName"])
                if number:
                    found.append(Attempt(row["TrainingJobName"], number, row["TrainingJobStatus"]))
    return sorted(found, key=lambda attempt: attempt.number)


def _number(job: str, name: str) -> int:
    """The number of an attempt; 0 if the name is not of this job.

    >>> _number("bot-0a", "bot-0a"), _number("bot-0a", "bot-0a-12"), _number("bot-0a", "my-bot-0a")
    (1, 12, 0)
    """
    later = re.fullmatch(rf"{re.escape(job)}-([1-9][0-9]{{0,{len(str(LAST_ATTEMPT)) - 1}}})", name)
    return 1 if name == job else int(later[1]) if later else 0


def next_name(job: str, made: list[Attempt]) -> str:
    """The name of the attempt that follows on those that were made.

    Raises:
        ServiceError: the job has had all attempts that a name can have.
    """
    if not made:
        return job
    following = made[-1].number + 1
    if following > LAST_ATTEMPT:
        raise ServiceError(f"{job} has had {LAST_ATTEMPT} attempts, the limit", "set another sagemaker.job_name")
    return f"{job}-{following}"
