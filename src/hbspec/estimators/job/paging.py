"""The time in which paged optimizer states move between a GPU and its host."""

from __future__ import annotations

from hbspec.estimators.step.communication import host_bytes_per_second
from hbspec.estimators.step.optimizer import optimizer
from hbspec.estimators.training.memory import memory, memory_verdict
from hbspec.estimators.verdict import Verdict
from hbspec.plan import Plan
from hbspec.units import Interval


def paging_seconds(plan: Plan) -> Interval:
    """Seconds an update in which paged optimizer states without room on the GPU come over PCIe, and go back.

    At best only those move that find no room; at worst all, since a driver that evicts what was used longest ago evicts
    what an update needs next. Source: bitsandbytes 0.50.2, `Optimizer8bit.prefetch_state`. Left out: that pages move
    one by one when they are touched, which is slower than a copy.
    """
    if not optimizer(plan.training.optim).paged:
        return Interval.exact(0)
    if memory_verdict(plan) is Verdict.FITS:  # which takes less time than how much is needed
        return Interval.exact(0)
    fullest = memory(plan).fullest
    out = fullest.paged_out
    moved = Interval(out.low, out.expected, fullest.paged if out.high else 0)
    return moved * (2 / host_bytes_per_second(plan.require("hardware")))
