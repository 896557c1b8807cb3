"""The difference of what two jobs take of their fullest GPU.

A process takes what its allocator reserves, the CUDA context, and the communicators of several ranks
(`hbspec.estimators.training.reserved.process_bytes`). Context and communicators are one unknown on GPUs of one kind, so
that the reserves alone make the difference; these are unrelated. So is all of it on two kinds of GPU, where optimizer
states are paged, and where one of the jobs may fill its GPU, since the allocator then makes do with less.
"""

from __future__ import annotations

from hbspec.comparison.parts import SAME, Difference, between, unrelated
from hbspec.estimators.training.devices import Memory
from hbspec.estimators.verdict import Verdict
from hbspec.plan import Plan


def memory_difference(first: tuple[Plan, Memory], other: tuple[Plan, Memory]) -> Difference:
    """Bytes of the other job's fullest GPU minus those of the first."""
    (plan, one), (changed, two) = first, other
    if one == two and plan.hardware == changed.hardware:
        return SAME
    mine, theirs = one.fullest, two.fullest
    if not (_share_context(plan, changed) and one.verdict is two.verdict is Verdict.FITS):
        return Difference(unrelated(mine.process, theirs.process))
    reserves = unrelated(mine.peak_reserved, theirs.peak_reserved)
    return Difference(between((reserves.low, reserves.high), mine.process, theirs.process))


def _share_context(plan: Plan, changed: Plan) -> bool:
    """Whether both have the same kind of GPU, and as many processes that talk to each other: none, or several."""
    if plan.hardware is None or changed.hardware is None or plan.hardware.gpu != changed.hardware.gpu:
        return False
    estimated = all(one.between is None and one.measured is None for one in (plan, changed))
    paged = any(one.training.optim.startswith("paged") for one in (plan, changed))
    return estimated and not paged and plan.way.distributed == changed.way.distributed
