"""Rows beside their estimates. Rows that train and rows that serve are told apart by the column `kind`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from hbspec.diagnostics import NotKnownError
from hbspec.estimators.constants import StepConstants
from hbspec.estimators.training.devices import DeviceMemory
from hbspec.estimators.training.memory import memory
from hbspec.units import Interval
from measured import timing
from measured.fitted import Constants
from measured.mapping import Case, express
from measured.reason import NotExpressibleError
from measured.row import MEMORY, TIME, Row
from measured.serving import judge_serving

TIME_ONLY = "a model that stands for another: time only"

CROWDED = 0.95
"""Share of a GPU's memory above which a job ran at the edge: the allocator gave blocks back to fit, and a little more
would not have run."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A row beside its estimates; without any, `reason` says why.

    Attributes:
        case: the jobs that a training row allows; None for other rows, and without an estimate.
        measured: by metric.
        estimates: by metric, of some of these.
        moment: at which memory is fullest; "" where it is not scored.
        verdict: certain only where all plans that the row allows agree.
        is_error: whether a check of the job reports an error: under all of these plans it is expected to need more than
            the GPU has.
        capacity: bytes that a job can use on the GPU; None where not known or not scored.
        gaps: why a metric that was measured has no estimate, though the row is expressed.
        stand_ins: what was taken for something that is not known.
    """

    row: Row
    case: Case | None
    measured: Mapping[str, float]
    estimates: Mapping[str, Interval]
    moment: str
    verdict: str
    is_error: bool
    capacity: float | None
    reason: str | None
    gaps: Mapping[str, str]
    stand_ins: tuple[str, ...]

    def pair(self, metric: str) -> tuple[float, Interval] | None:
        """What was measured and what is estimated; None where one of them is missing."""
        measured, estimated = self.measured.get(metric), self.estimates.get(metric)
        return (measured, estimated) if measured is not None and estimated is not None else None

    @property
    def at_the_edge(self) -> bool:
        """Whether the job is the largest that fitted, or took more than `CROWDED` of the GPU."""
        most = max((value for metric, value in self.measured.items() if metric in MEMORY), default=0.0)
        return self.row.is_frontier or (self.capacity is not None and most > CROWDED * self.capacity)


def judge(rows: Iterable[Row], constants: Callable[[str], Constants]) -> tuple[Judged, ...]:
    """Every row beside its estimates.

    Args:
        rows: the measurements.
        constants: for each source those that were fitted without it.
    """
    return tuple((_served if row.is_serving else _trained)(row, constants(row.source)) for row in rows)


def _trained(row: Row, constants: Constants) -> Judged:
    measured = {metric: value for metric in (*MEMORY, *TIME) if (value := row.measured(metric)) is not None}
    try:
        case = express(row)
        found = _memory(case, constants) if case.same_memory else Found({}, "", "unknown", False, None)
    except (NotExpressibleError, NotKnownError) as reason:
        return Judged(row, None, measured, {}, "", "unknown", False, None, str(reason), {}, ())
    estimates = dict(found.estimates)
    gaps = {metric: TIME_ONLY for metric in MEMORY if metric in measured and metric not in estimates}
    for metric, estimate in TIMED.items():
        if metric not in measured:
            continue
        try:
            estimates[metric] = estimate(case, constants.step)
        except (NotExpressibleError, NotKnownError) as reason:
            gaps[metric] = str(reason)
    return Judged(row, case, measured, estimates, *found[1:], None, gaps, case.stand_ins)


def _served(row: Row, constants: Constants) -> Judged:
    found = judge_serving(row, constants.serving)
    measured = {entry.metric: entry.measured for entry in found}
    estimates = {entry.metric: entry.estimate for entry in found if entry.estimate is not None}
    gaps = {entry.metric: entry.reason for entry in found if entry.reason is not None}
    reason = None if estimates else next(iter(gaps.values()), "nothing of it is scored")
    stand_ins = tuple(dict.fromkeys(what for entry in found for what in entry.stand_ins)) if estimates else ()
    return Judged(
        row, None, measured, estimates, "", "unknown", False, None, reason, gaps if estimates else {}, stand_ins
    )


class Found(NamedTuple):
    """Memory of a row's job."""

    estimates: Mapping[str, Interval]
    moment: str
    verdict: str
    is_error: bool
    capacity: float | None


def _memory(case: Case, constants: Constants) -> Found:
    whole, *others = (memory(plan, constants.memory) for plan in (case.plan, *case.others))
    verdicts = {found.verdict for found in (whole, *others)}
    is_error = all(found.fullest.expected_to_fail for found in (whole, *others))
    device = whole.fullest
    readings = [_readings(one.fullest) for one in (whole, *others)]
    estimates = {metric: _spanning([reading[metric] for reading in readings]) for metric in readings[0]}
    verdict = verdicts.pop() if len(verdicts) == 1 else "tight"
    return Found(estimates, device.moment, verdict, is_error, device.usable)


def _readings(device: DeviceMemory) -> dict[str, Interval]:
    reserved, process = _readable(device.peak_reserved, device), _readable(device.process, device)
    return {
        "peak_allocated": device.peak_allocated,
        "peak_reserved": reserved,
        "process": process,
        "unknown_metric": _any(device.peak_allocated, reserved, process),
    }


def _any(allocated: Interval, reserved: Interval, process: Interval) -> Interval:
    """Where a source does not say what it read: from the least of the tensors to the most of the process."""
    return Interval(allocated.low, (allocated.expected + reserved.expected) / 2, max(allocated.high, process.high))


def _spanning(of: Sequence[Interval]) -> Interval:
    """What is expected of the first plan, between the ends of all that the row allows."""
    return Interval(min(one.low for one in of), of[0].expected, max(one.high for one in of))


def _readable(needed: Interval, device: DeviceMemory) -> Interval:
    """What can be read on the row's own GPU: the allocator's reserve ends at its memory, whatever a job would take.

    The context and the communicators lie outside of what is reserved, and inside of the process.
    """
    if device.usable is None:
        return needed
    outside, tensors = device.process.expected - device.peak_reserved.expected, device.peak_allocated.expected
    if needed is device.process:
        most = max(device.usable, tensors + outside)
    else:
        most = max(device.usable - (device.process.low - device.peak_reserved.low), tensors)
    return replace(needed, expected=min(needed.expected, most))


TIMED: Mapping[str, Callable[[Case, StepConstants], Interval]] = {
    "tokens_per_second_per_gpu": timing.rate,
    "total_time": timing.total,
    "total_cost": timing.spent,
}
