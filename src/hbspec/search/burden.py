"""What a plan takes of time, money and memory, and how plans are compared by it."""

from __future__ import annotations

from collections.abc import Iterator
from math import floor, log
from typing import NamedTuple

from hbspec.analysis import Analysis
from hbspec.estimators.job.cost import Cost, cost
from hbspec.estimators.job.least import End
from hbspec.estimators.job.time import Time, interrupted, time
from hbspec.estimators.training.headroom import headroom
from hbspec.search.choice import Arrangement, Batch, Choice
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
        headroom: the share of the fullest GPU that is certainly free.
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


def in_each_place(space: Space, group: Arrangement, batch: Batch, free: float) -> Iterator[tuple[Choice, Burdens]]:
    """Plans that differ only in the place, with what each takes: the steps take the same time everywhere.

    Args:
        space: all plans.
        group: the plans.
        batch: the division of the batch.
        free: the share of the fullest GPU that is certainly free.

    Raises:
        NotKnownError: their time or their cost is not known.
    """
    first = space.planned(Choice(group, batch, group.machine.places[0])).plan
    on_demand = None if first.between is not None else time(first._replace(spot=False)).to_the_end
    for place in group.machine.places:
        choice = Choice(group, batch, place)
        if on_demand is None:
            plan = space.planned(choice).plan
            took = time(plan).to_the_end
        else:
            plan = space.moved(first, group.machine, place)
            took = interrupted(on_demand, plan)
        yield choice, Burdens(took, cost(plan, took), free)


def steps_of(amount: float, seconds: float, free: float) -> Steps:
    """A cost, a time and a headroom in steps: of `WORTH_SAYING` of the value, and of `HEADROOM_STEP`."""
    return _step(amount), _step(seconds), -floor(free / HEADROOM_STEP)


def _step(value: float) -> int:
    return floor(log(value) / log(1 + WORTH_SAYING)) if value > 0 else -(10**6)


def no_better(one: Steps, other: Steps) -> bool:
    """Whether the first is at least as dear, as slow and as full as the second."""
    return one[0] >= other[0] and one[1] >= other[1] and one[2] >= other[2]
