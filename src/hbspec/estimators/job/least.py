"""The least time of a job, whatever joins its GPUs: what a search compares before it estimates a plan."""

from __future__ import annotations

from typing import Literal

from hbspec.estimators.step.duration import micro_batch
from hbspec.plan import Plan
from hbspec.units import Interval

End = Literal["expected", "high"]
"""An end of an interval."""


def least_micro_batch(plan: Plan, end: End, *, backward: bool) -> float:
    """Seconds of a micro-batch on its GPU alone: nothing is sent, streamed, gathered by hooks, or handed over.

    It depends on the GPU, the way of sharing the work, the micro-batch, and whether gradients are accumulated; not on
    the number of ranks, their hosts, or what joins them.

    Raises:
        NotKnownError: as `hbspec.estimators.step.duration.micro_batch`.
    """
    found = micro_batch(plan, getattr(plan.padded_row_tokens, end), backward=backward)
    alone = found._replace(sent=Interval.exact(0.0), streamed=0.0, units=0, handover=1.0)
    seconds: float = getattr(alone.seconds(), end)
    return seconds
