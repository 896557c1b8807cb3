"""The difference of what two jobs take of their fullest GPU.

The CUDA context, and the communicators of several ranks, are one unknown on GPUs of one kind; the tensors and the
allocator's reserve are unrelated. So is all of it on two kinds of GPU, and where one of the jobs may fill its GPU,
since the allocator then makes do with less.
"""

from __future__ import annotations

from hbspec.comparison.parts import SAME, Difference, between, unrelated
from hbspec.estimators.constants import MEMORY
from hbspec.estimators.training.devices import Memory
from hbspec.estimators.training.memory import memory
from hbspec.estimators.verdict import Verdict
from hbspec.plan import Plan
from hbspec.units import Interval

EXACT = MEMORY._replace(
    context=Interval.exact(MEMORY.context.expected),
    context_by_capability={
        capability: Interval.exact(size.expected) for capability, size in MEMORY.context_by_capability.items()
    },
    communicators=Interval.exact(MEMORY.communicators.expected),
)
"""The constants as if the context and the communicators had their expected size, which a difference does not show."""


def memory_difference(first: tuple[Plan, Memory], other: tuple[Plan, Memory]) -> Difference:
    """Bytes of the other job's fullest GPU minus those of the first."""
    (plan, one), (changed, two) = first, other
    if one == two and plan.hardware == changed.hardware:
        return SAME
    apart = unrelated(one.fullest.process, two.fullest.process)
    if not (_share_context(plan, changed) and one.verdict is two.verdict is Verdict.FITS):
        return Difference(apart)
    without = unrelated(memory(plan, EXACT).fullest.process, memory(changed, EXACT).fullest.process)
    return Difference(between((without.low, without.high), one.fullest.process, two.fullest.process))


def _share_context(plan: Plan, changed: Plan) -> bool:
    """Whether both have the same kind of GPU, and as many processes that talk to each other: none, or several."""
    if plan.hardware is None or changed.hardware is None or plan.hardware.gpu != changed.hardware.gpu:
        return False
    estimated = all(one.between is None and one.measured is None for one in (plan, changed))
    return estimated and plan.way.distributed == changed.way.distributed
