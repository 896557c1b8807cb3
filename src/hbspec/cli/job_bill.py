"""The bill of a training job at SageMaker: of every attempt up to the one whose log is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hbspec.api import Estimates
    from hbspec.service.client import Clients
    from hbspec.service.status import Status
    from hbspec.watching.billed import BilledAttempt, JobBill


def job_bill(estimates: Estimates, name: str) -> tuple[JobBill | None, str]:
    """What the service has billed; None with the reason where it did not answer.

    Args:
        estimates: of the spec.
        name: the attempt whose log is read.
    """
    from hbspec.service.client import Clients, ServiceError

    try:
        return _told(Clients(estimates.analysis.spec.instance.region), name), ""
    except ServiceError as failed:
        return None, str(failed)


def _told(clients: Clients, name: str) -> JobBill:
    from hbspec.service.attempts import attempts
    from hbspec.service.status import status
    from hbspec.watching.billed import JobBill
    from hbspec.watching.matching import first_name

    made = [one.name for one in attempts(clients, first_name(name))]
    names = made[: made.index(name) + 1] if name in made else [name]
    return JobBill(tuple(_attempt(status(clients, one)) for one in names))


def _attempt(told: Status) -> BilledAttempt:
    from hbspec.watching.billed import BilledAttempt

    return BilledAttempt(
        name=told.name,
        status=told.status,
        secondary=told.secondary,
        ended=told.ended,
        billable_seconds=told.billable_seconds,
        training_seconds=told.training_seconds,
        total_seconds=told.total_seconds,
        instances=told.instances,
        instance_type=told.instance_type,
        failure=told.failure,
    )
