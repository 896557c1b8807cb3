"""What the service has billed of a job, in the terms of a bill: the part of a verdict that no log holds.

Billed is BillableTimeInSeconds of each attempt x instances x the on-demand price. Of managed spot training the service
has the saving in these seconds already: saving = 1 - BillableTimeInSeconds / TrainingTimeInSeconds.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTrainingJob.html

Left out of the service's answer, and added as predicted: the volume, and a warm pool. Left out: everything beside the
instances that the estimate leaves out too.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from hbspec.api import Estimates
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.job.cost import RUNNING, Cost, cost
from hbspec.estimators.job.time import Time
from hbspec.units import Interval

COMPLETED, FAILED = "Completed", "Failed"
TOO_LONG, WAITED_TOO_LONG = "MaxRuntimeExceeded", "MaxWaitTimeExceeded"
"""Secondary statuses of a job that the service stopped at a limit."""
PHASE = "billed"


class BilledAttempt(NamedTuple):
    """One attempt of a job, as the service tells of it; None where it does not (yet).

    Attributes:
        status: such as `Completed`; `secondary` is its phase, such as `MaxRuntimeExceeded`.
        ended: whether nothing more happens.
        billable_seconds: seconds that are billed for each instance.
        training_seconds: seconds from the download of the data to the end.
        total_seconds: seconds from the request to the end.
        failure: why it failed; empty if it did not.
    """

    name: str
    status: str
    secondary: str
    ended: bool
    billable_seconds: float | None
    training_seconds: float | None
    total_seconds: float | None
    instances: int
    instance_type: str
    failure: str = ""


class JobBill(NamedTuple):
    """The attempts of a job up to the one whose log is read, the first one first; at least one."""

    attempts: tuple[BilledAttempt, ...]

    @property
    def last(self) -> BilledAttempt:
        """The attempt whose log is read."""
        return self.attempts[-1]

    @property
    def is_final(self) -> bool:
        """Whether nothing more will be billed: a job that failed or was stopped goes on with another attempt."""
        return self.last.status == COMPLETED and self.billable_seconds is not None

    @property
    def billable_seconds(self) -> float | None:
        """Billed seconds of each instance, of all attempts; None where the service does not say one of them."""
        return _sum([one.billable_seconds for one in self.attempts])

    @property
    def training_seconds(self) -> float | None:
        """Seconds that all attempts ran; None where the service does not say one of them."""
        return _sum([one.training_seconds for one in self.attempts])

    @property
    def told_seconds(self) -> float | None:
        """Billed seconds as far as they are told, which is the least that was billed; None where none are."""
        told = [one.billable_seconds for one in self.attempts if one.billable_seconds is not None]
        return sum(told) if told else None

    @property
    def saved(self) -> float | None:
        """The share of the on-demand bill that managed spot training saved; None where it is not known, or none."""
        billed, ran = self.billable_seconds, self.training_seconds
        return 1 - billed / ran if billed is not None and ran and billed < ran else None

    def to_dict(self) -> dict[str, Any]:
        """The bill as JSON has it; seconds."""
        return {
            "attempts": [one._asdict() for one in self.attempts],
            "billable_seconds": self.billable_seconds,
            "training_seconds": self.training_seconds,
            "saved": self.saved,
        }


def differences(estimates: Estimates, bill: JobBill) -> tuple[str, ...]:
    """Why the service's job is another than the spec's: the instances that it ran on."""
    hardware, last = estimates.plan.hardware, bill.last
    if hardware is None or hardware.instance is None or not last.instance_type:
        return ()
    ran, planned = f"{last.instances} x {last.instance_type}", f"{hardware.instances} x {hardware.instance.name}"
    return () if ran == planned else (f"instances: {ran} at the service, {planned} in the spec",)


def billed_cost(estimates: Estimates, bill: JobBill) -> Cost | None:
    """The bill of what the service has told; None where it has told nothing, or the price is not known.

    The instances' item is exact up to the spread of the price. Volumes are kept while the job runs, not while it is
    billed.
    """
    billed = bill.told_seconds
    if billed is None:
        return None
    kept = bill.training_seconds
    try:
        of_instances, of_volumes = (_at(estimates, seconds) for seconds in (billed, billed if kept is None else kept))
    except NotKnownError:
        return None
    others = (item for item in of_volumes.items if item.name != RUNNING)
    return of_instances._replace(items=(*(item for item in of_instances.items if item.name == RUNNING), *others))


def _at(estimates: Estimates, seconds: float) -> Cost:
    nothing = Interval.exact(0)
    return cost(estimates.plan._replace(spot=False), Time(nothing, {PHASE: Interval.exact(seconds)}, nothing))


def notes(bill: JobBill) -> tuple[str, ...]:
    """What the service says of the job beyond its times."""
    last = bill.last
    found = [] if last.failure == "" else [f"{last.name} failed: {last.failure}"]
    if last.secondary == TOO_LONG:
        found.append(f"{last.name} was stopped at max_runtime")
    if last.secondary == WAITED_TOO_LONG:
        found.append(f"{last.name} was stopped at max_wait")
    untold = [one.name for one in bill.attempts if one.ended and one.billable_seconds is None]
    if untold:
        found.append(f"the service does not say what was billed of {', '.join(untold)}: the bill is at least the rest")
    return tuple(found)


def _sum(parts: list[float | None]) -> float | None:
    told = [part for part in parts if part is not None]
    return sum(told) if len(told) == len(parts) else None
