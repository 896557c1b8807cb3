"""The time and the money of the evaluation after training, at the endpoint. It is not part of the training's bill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from hbspec.diagnostics import NotKnownError, known
from hbspec.estimators.serving.cost import Charge
from hbspec.estimators.serving.load import load
from hbspec.estimators.serving.room import room_bytes
from hbspec.plan import ServingPlan
from hbspec.plan.suites import PlannedSuite
from hbspec.units import HOUR, Interval

CONCURRENCY = 8
"""Requests at once by `hbspec evaluate`, unless it is told another number (`templates/evaluate.py`)."""


AS_A_JOB = "the target evaluation"
OF_A_JOB = "neither its speed, one item at a time, nor a price of Processing is known; it is stopped after 24 h"
"""The evaluation as a processing job, instead of at the endpoint: the catalog has no rate of that component, and how
fast transformers generates on an instance was not measured."""


class AfterTraining(NamedTuple):
    """The evaluation of all suites at the endpoint.

    Attributes:
        items: of all suites, as they are asked for.
        concurrency: requests at once.
        seconds: of asking all of them, without the start of the endpoint.
        cost: of all the endpoint's instances meanwhile; None without a price.
        left_out: by name, why a way to evaluate has no time and no cost here.
    """

    items: int
    concurrency: int
    seconds: Interval
    cost: Charge | None
    left_out: Mapping[str, str] = MappingProxyType({AS_A_JOB: OF_A_JOB})

    def to_dict(self) -> dict[str, Any]:
        """The `evaluation` of `hbspec estimate --format json`."""
        return {
            "items": self.items,
            "concurrency": self.concurrency,
            "seconds": self.seconds.to_dict(),
            "cost": self.cost and self.cost.to_dict(),
            "left_out": dict(self.left_out),
        }


def after_training(plan: ServingPlan, suites: Sequence[PlannedSuite]) -> AfterTraining:
    """Items over the requests per hour of one instance, with requests and answers of typical length.

    Items are taken to be as long as the typical request: reasoning that is longer takes in proportion longer. Left out:
    the start of the endpoint, attempts that are repeated, and a second instance's help.

    Raises:
        NotKnownError: the spec has no suites, or the endpoint's speed is not known.
    """
    if not suites:
        raise NotKnownError("evaluation")
    free = known(room_bytes(plan), "the GPU's memory")
    busy = load(plan._replace(concurrency=min(CONCURRENCY, plan.concurrency)), free.expected)
    items, rate = sum(suite.items for suite in suites), busy.requests_per_hour
    hours = Interval(items / rate.high, items / rate.expected, items / rate.low)
    return AfterTraining(items, busy.concurrency, hours * HOUR, _cost(plan, hours))


def _cost(plan: ServingPlan, hours: Interval) -> Charge | None:
    if plan.price is None or plan.hardware is None:
        return None
    rate = plan.price.rate.per_hour * plan.hardware.instances
    low, expected, high = (rate * Decimal(repr(end)) for end in (hours.low, hours.expected, hours.high))
    return Charge(low, expected, high, plan.price.rate.currency)
