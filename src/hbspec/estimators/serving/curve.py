"""An endpoint by concurrency: what a request waits for, what an instance answers, what it holds at a latency."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from hbspec.diagnostics import NotKnownError, known
from hbspec.estimators.serving.cost import answers_cost
from hbspec.estimators.serving.load import Load, load
from hbspec.estimators.serving.room import UNKNOWN_MEMORY, room_bytes
from hbspec.plan import ServingPlan


class Held(NamedTuple):
    """The most concurrent requests of typical length that are answered within a latency.

    Attributes:
        seconds: the latency.
        sure: requests that are answered in time even by the high end of the latency; 0 where not even one is.
        expected: the same of the expected latency.
    """

    seconds: float
    sure: int
    expected: int

    def to_dict(self) -> dict[str, Any]:
        """The `serving.within_latency` of `hbspec estimate --format json`."""
        return {"latency_seconds": self.seconds, "concurrency": {"sure": self.sure, "expected": self.expected}}


def curve(plan: ServingPlan) -> list[Load]:
    """One instance at 1, 2, 4, … concurrent requests of typical length, as planned, and at as many as fit.

    Empty where the speed or the room of the endpoint is not known.
    """
    try:
        free = known(room_bytes(plan), UNKNOWN_MEMORY).expected
        planned = load(plan, free)
        most = planned.largest_concurrency
        numbers = {2**power for power in range(most.bit_length())} | {planned.concurrency, most}
        return [load(plan._replace(concurrency=number), free) for number in sorted(numbers)]
    except NotKnownError:
        return []


def curve_dicts(plan: ServingPlan) -> list[dict[str, Any]]:
    """The `serving.curve` of `hbspec estimate --format json`: each load with the cost of 1,000 answers at it."""
    found = []
    for one in curve(plan):
        cost = answers_cost(plan, one.requests_per_hour)
        found.append({**one.to_dict(), "cost_per_1000_answers": cost and cost.to_dict()})
    return found


def held_within(plan: ServingPlan, seconds: float) -> Held:
    """The most concurrent requests that an instance answers within a latency, as far as its cache holds them.

    Latency grows with concurrency, so that the number is found by halving.

    Args:
        plan: the endpoint.
        seconds: the latency.

    Raises:
        NotKnownError: as for `load`, or the GPU's memory is not known.
    """
    free = known(room_bytes(plan), UNKNOWN_MEMORY)
    most = load(plan, free.expected).largest_concurrency

    def took(number: int) -> Load:
        return load(plan._replace(concurrency=number), free.expected)

    return Held(
        seconds,
        _largest(lambda number: took(number).latency_seconds.high <= seconds, most),
        _largest(lambda number: took(number).latency_seconds.expected <= seconds, most),
    )


def _largest(holds: Callable[[int], bool], most: int) -> int:
    """The largest number from 1 to `most` of which something holds that holds of all smaller ones; 0 of none."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low
