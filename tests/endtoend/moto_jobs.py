"""What moto lacks of training jobs: states that take time, and StopTrainingJob.

A job of moto's is Completed at once. The words of the refusals are from public error reports.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

ENDED = ("Completed", "Failed", "Stopped")
State = tuple[str, str]
"""A status and a secondary status."""


@dataclass
class Course:
    """What becomes of training jobs: the state after each look, the first being that of its creation; and the bill."""

    states: tuple[State, ...] = (("Completed", "Completed"),)
    failure: str = ""
    billed: int = 3600
    ran: int | None = None
    looks: dict[str, int] = field(default_factory=dict)


@contextmanager
def jobs_as_run(course: Course) -> Iterator[None]:
    """moto, patched."""
    backend = SageMakerModelBackend
    creating, describing = backend.create_training_job, backend.describe_training_job

    def create_training_job(self: Any, *args: Any, **kwargs: Any) -> Any:
        job = creating(self, *args, **kwargs)
        course.looks[job.training_job_name] = 0
        _enter(job, course, course.states[0])
        return job

    def describe_training_job(self: Any, name: str) -> Any:
        job = self.training_jobs.get(name)
        if job is None:
            raise ValidationError("Requested resource not found.")
        if job.training_job_status == "Stopping":
            _enter(job, course, ("Stopped", "Stopped"))
        elif name in course.looks:
            course.looks[name] = min(course.looks[name] + 1, len(course.states) - 1)
            _enter(job, course, course.states[course.looks[name]])
        return describing(self, name)

    def stop_training_job(self: SageMakerResponse) -> Any:
        job = self.sagemaker_backend.training_jobs.get(json.loads(self.body)["TrainingJobName"])
        if job is None:
            raise ValidationError("Requested resource not found.")
        if job.training_job_status in ENDED:
            raise ValidationError(
                f"The request was rejected because the training job is in status {job.training_job_status}."
            )
        course.looks.pop(job.training_job_name, None)
        _enter(job, course, ("Stopping", "Stopping"))
        return ActionResult({})

    with ExitStack() as patches:
        patches.enter_context(mock.patch.object(backend, "create_training_job", create_training_job))
        patches.enter_context(mock.patch.object(backend, "describe_training_job", describe_training_job))
        patches.enter_context(mock.patch.object(SageMakerResponse, "stop_training_job", stop_training_job, create=True))
        yield


def _enter(job: Any, course: Course, state: State) -> None:
    job.training_job_status, job.secondary_status = state
    job.failure_reason = course.failure if state[0] == "Failed" else None
    began = utcnow()
    known = {one["Status"]: one for one in job.secondary_status_transitions}
    if state[1] not in known:
        for one in job.secondary_status_transitions:
            one.setdefault("EndTime", began)
        job.secondary_status_transitions.append({"Status": state[1], "StartTime": began, "StatusMessage": state[1]})
    if state[0] in ENDED:
        job.billable_time_in_seconds = course.billed
        job.training_time_in_seconds = course.ran or course.billed
