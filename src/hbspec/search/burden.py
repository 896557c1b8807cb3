"""What a plan takes of time, money and memory, and how plans are compared by it."""

from __future__ import annotations

from math import floor, log
from typing import NamedTuple

from hbspec.analysis import Analysis
from hbspec.estimators.job.cost import Cost, cost
from hbspec.estimators.job.least import End
from hbspec.estimators.job.time import Time, interrupted, time
from hbspec.estimators.training.headroom import headroom
from hbspec.plan import Plan
from hbspec.search.choice import Arrangement, Batch, Choice, Place
from hbspec.search.space import Space
from hbspec.search.trial import WORTH_SAYING

HEADROOM_STEP = 0.05
"""Share of a GPU's memory below which a difference counts as none: the error of the tensors that come and go is 3 % of
them or more (`hbspec.estimators.constants`)."""

Steps = tuple[int, int, int]
"""Cost, time and taken memory in steps of what is worth a difference: less is better in each."""


class Burdens(NamedTuple):
    """What a plan takes, to its end even where the runtime limit may stop it, since stopping early saves nothing.

    Attributes:
        time: seconds by phase.
        cost: the bill.
        headroom: the share of the fullest GPU that is certainly free of tensors.
    """

    time: Time
    cost: Cost
    headroom: float

    def steps(self, end: End) -> Steps:
        """The steps that plans are compared by, at one end of time and cost."""
        bill, seconds = self.cost, self.time.total_seconds
        return steps_of(float(getattr(bill, end)), getattr(seconds, end), self.headroom)


def burdens(analysis: Analysis) -> Burdens:
    """What a plan takes.

    Raises:
        NotKnownError: its time, its cost or its memory is not known.
    """
    took = analysis.time.to_the_end
    return Burdens(took, cost(analysis.plan, took), headroom(analysis.plan))


class Elsewhere:
    """Plans that differ only in where and how their instances are rented: the steps take the same time everywhere.

    Attributes:
        times: the time on demand and as a spot job, where a place has it.

    Args:
        space: all plans.
        group: the plans.
        batch: the division of the batch.
        free: the share of the fullest GPU that is certainly free of tensors.

    Raises:
        NotKnownError: their time is not known.
    """

    def __init__(self, space: Space, group: Arrangement, batch: Batch, free: float) -> None:
        self._space, self._group, self._batch, self._free = space, group, batch, free
        by_spot = {place.spot: place for place in group.machine.places}
        self._plan = space.planned(Choice(group, batch, group.machine.places[0])).plan
        self._bounded = self._plan.between is not None  # between plans that are rented somewhere
        if self._bounded:
            self.times = {spot: time(self._planned(place)).to_the_end for spot, place in by_spot.items()}
        else:
            on_demand = time(self._plan._replace(spot=False)).to_the_end
            self.times = {spot: interrupted(on_demand, self._planned(place)) for spot, place in by_spot.items()}

    def burdens(self, place: Place) -> Burdens:
        """What the plan takes in a place.

        Raises:
            NotKnownError: its cost is not known.
        """
        took = self.times[place.spot]
        return Burdens(took, cost(self._planned(place), took), self._free)

    def _planned(self, place: Place) -> Plan:
        if self._bounded:
            return self._space.planned(Choice(self._group, self._batch, place)).plan
        return self._space.moved(self._plan, self._group.machine, place)


def steps_of(amount: float, seconds: float, free: float) -> Steps:
    """A cost, a time and a headroom in steps: of `WORTH_SAYING` of the value, and of `HEADROOM_STEP`."""
    return relative_step(amount), relative_step(seconds), -floor(free / HEADROOM_STEP)


def relative_step(value: float) -> int:
    """A value in steps of `WORTH_SAYING` of itself."""
    return floor(log(value) / log(1 + WORTH_SAYING)) if value > 0 else -(10**6)


def no_better(one: Steps, other: Steps) -> bool:
    """Whether the first is at least as dear, as slow and as full as the second."""
    return one[0] >= other[0] and one[1] >= other[1] and one[2] >= other[2]
