"""What is fitted about memory: what the allocator reserves beside the tensors, as quantiles of what was observed.

One observation a row that states reserved or process bytes: the share of `hbspec.estimators.training.reserved` that
explains it. Sources weigh the same. Low and high are quantiles, so that an interval covers what it is fitted to by
construction; how it covers others is what leaving one source out shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from hbspec.diagnostics import NotKnownError
from hbspec.estimators.constants import MEMORY, MemoryConstants
from hbspec.estimators.step.moments import LASTING
from hbspec.estimators.training.memory import memory
from hbspec.units import Interval
from measured.mapping import express
from measured.quantile import quantile
from measured.reason import NotExpressibleError
from measured.row import Row

QUANTILES = (0.04, 0.5, 0.96)
"""Of the weight of the observations, below low, expected and high."""

CROWDED = 0.93
"""Share of a GPU's memory above which a row is not used: there the allocator gave blocks back to fit."""

UNFITTED = Interval(0.05, 0.3, 0.6)
"""A share where no source is left to fit it from: an assumption."""

KINDS = ("reserved_of_passing", "reserved_of_sharded")


class Observation(NamedTuple):
    """What one row says about one of `KINDS`."""

    id: str
    source: str
    kind: str
    share: float

    def to_dict(self) -> dict[str, Any]:
        """As on disk."""
        return self._asdict()


def observations(rows: Iterable[Row]) -> tuple[Observation, ...]:
    """Every row that says how much was reserved, as a share."""
    return tuple(found for row in rows if (found := _observation(row)) is not None)


def _observation(row: Row) -> Observation | None:
    stated = row.measured("peak_reserved") or row.measured("process")
    if stated is None:
        return None
    try:
        case = express(row)
        device = memory(case.plan).fullest
    except (NotExpressibleError, NotKnownError):
        return None
    if not case.same_memory:
        return None
    if device.usable is not None and stated > CROWDED * device.usable:
        return None
    if row.measured("peak_reserved") is None:
        stated -= device.process.expected - device.peak_reserved.expected
    allocated = row.measured("peak_allocated") or device.peak_allocated.expected
    lasting = sum(size for name, size in device.terms.items() if name in LASTING)
    sharded = case.plan.parallelism in ("fsdp", "zero3") and case.plan.sharding != "none"
    base = allocated if sharded else max(allocated - lasting, 0.05 * allocated)
    share = max(0.0, (stated - allocated - device.freed) / base)
    return Observation(row["id"], row.source, KINDS[sharded], round(share, 4))


def fit(found: Sequence[Observation]) -> MemoryConstants:
    """The constants that some observations give; the rest as assumed."""
    passing, sharded = (_interval([one for one in found if one.kind == kind]) for kind in KINDS)
    return MEMORY._replace(reserved_of_passing=passing, reserved_of_sharded=sharded)


def _interval(found: Sequence[Observation]) -> Interval:
    if not found:
        return UNFITTED
    sizes = Counter(one.source for one in found)
    values, weights = [one.share for one in found], [1 / sizes[one.source] for one in found]
    low, expected, high = (quantile(values, weights, share) or 0.0 for share in QUANTILES)
    return Interval(round(low, 3), round(expected, 3), round(high, 3))
