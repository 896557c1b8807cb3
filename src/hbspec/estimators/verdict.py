"""Whether what is needed fits into what is there."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from hbspec.units import Interval


class Verdict(StrEnum):
    """How an interval of bytes fits into a capacity."""

    FITS = "fits"
    TIGHT = "tight"
    DOES_NOT_FIT = "does_not_fit"
    UNKNOWN = "unknown"


WORST_FIRST = (Verdict.DOES_NOT_FIT, Verdict.UNKNOWN, Verdict.TIGHT, Verdict.FITS)


def verdict(needed: Interval, capacity: float | None, least: Interval | None = None) -> Verdict:
    """FITS if it surely does, DOES_NOT_FIT if it surely does not, else TIGHT; UNKNOWN without a capacity.

    Args:
        needed: bytes that are asked for.
        capacity: bytes that are there.
        least: bytes that will do, where that is less than what is asked for: only these surely do not fit.
    """
    least = least or needed
    if capacity is None:
        return Verdict.UNKNOWN
    if max(needed.high, least.high) <= capacity:
        return Verdict.FITS
    return Verdict.DOES_NOT_FIT if least.low > capacity else Verdict.TIGHT


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of several verdicts; an unknown one is worse than a tight one."""
    return min(verdicts, key=WORST_FIRST.index)
