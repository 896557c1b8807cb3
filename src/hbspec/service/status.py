"""What the service says of one attempt, in the terms of a bill."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from hbspec.service.client import NO_CAPACITY, Clients, asking

ENDED = frozenset({"Completed", "Failed", "Stopped"})
"""Statuses in which nothing more happens."""


class JobPhase(NamedTuple):
    """One phase of an attempt as the service names it (`Downloading`, `Training`), with its beginning and its end."""

    name: str
    began: datetime | None
    ended: datetime | None
    message: str

    @property
    def seconds(self) -> float | None:
        """Seconds from its beginning to its end; None while it lasts."""
        return (self.ended - self.began).total_seconds() if self.began and self.ended else None


class Status(NamedTuple):
    """An attempt as DescribeTrainingJob tells of it.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTrainingJob.html

    Attributes:
        name: the attempt's name.
        status: such as `InProgress`.
        secondary: the phase that it is in, such as `Training`.
        failure: why it failed; empty if it did not.
        created: when it was submitted.
        finished: when nothing more was billed; None until then.
        billable_seconds: seconds that are billed for each instance; None until the service says so.
        training_seconds: seconds from the download of the data on; None until the service says so.
        instances: their number.
        instance_type: their type.
        model: the S3 URI of the trained model; empty until there is one.
        checkpoints: the S3 URI of the checkpoints; empty if none are kept.
        phases: the phases so far.
    """

    name: str
    status: str
    secondary: str
    failure: str
    created: datetime | None
    finished: datetime | None
    billable_seconds: int | None
    training_seconds: int | None
    instances: int
    instance_type: str
    model: str
    checkpoints: str
    phases: tuple[JobPhase, ...]

    @property
    def ended(self) -> bool:
        """Whether nothing more happens."""
        return self.status in ENDED

    @property
    def lacked_capacity(self) -> bool:
        """Whether the attempt failed because the region had no instance for it."""
        return self.failure.partition(":")[0] in NO_CAPACITY

    @property
    def total_seconds(self) -> float | None:
        """Seconds from the request to the end; None before it."""
        if not self.ended or self.created is None or self.finished is None:
            return None
        return (self.finished - self.created).total_seconds()

    def to_dict(self) -> dict[str, Any]:
        """The status with times in ISO 8601."""
        return {
            **self._asdict(),
            "created": _text(self.created),
            "finished": _text(self.finished),
            "phases": [
                {"name": phase.name, "began": _text(phase.began), "seconds": phase.seconds, "message": phase.message}
                for phase in self.phases
            ],
        }


def status(clients: Clients, name: str) -> Status:
    """The status of an attempt.

    Raises:
        ServiceError: no attempt has this name, or the question was not answered.
    """
    with asking("DescribeTrainingJob"):
        told: Mapping[str, Any] = clients.sagemaker.describe_training_job(TrainingJobName=name)
    resources = told.get("ResourceConfig", {})
    return Status(
        name=name,
        status=told["TrainingJobStatus"],
        secondary=told.get("SecondaryStatus", ""),
        failure=told.get("FailureReason", ""),
        created=told.get("CreationTime"),
        finished=told.get("TrainingEndTime"),
        billable_seconds=told.get("BillableTimeInSeconds"),
        training_seconds=told.get("TrainingTimeInSeconds"),
        instances=resources.get("InstanceCount", 1),
        instance_type=resources.get("InstanceType", ""),
        model=told.get("ModelArtifacts", {}).get("S3ModelArtifacts", ""),
        checkpoints=told.get("CheckpointConfig", {}).get("S3Uri", ""),
        phases=tuple(
            JobPhase(one["Status"], one.get("StartTime"), one.get("EndTime"), one.get("StatusMessage", ""))
            for one in told.get("SecondaryStatusTransitions", ())
        ),
    )


def _text(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
