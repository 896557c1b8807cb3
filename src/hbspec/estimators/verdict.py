"""Compares needed bytes with a capacity."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from hbspec.units import Interval


class Verdict(StrEnum):
    """Whether an interval of bytes fits into a capacity."""

    FITS = "fits"
    TIGHT = "tight"
    DOES_NOT_FIT = "does_not_fit"
    UNKNOWN = "unknown"


WORST_FIRST = (Verdict.DOES_NOT_FIT, Verdict.UNKNOWN, Verdict.TIGHT, Verdict.FITS)


def verdict(needed: Interval, capacity: float | None, least: Interval | None = None) -> Verdict:
    """FITS if it is certain to fit, DOES_NOT_FIT if it is certain not to, else TIGHT; UNKNOWN without a capacity.

    Args:
        needed: bytes requested.
        capacity: bytes available, None where not known.
        least: bytes sufficient to run, if fewer than requested: DOES_NOT_FIT compares these with the capacity.
    """
    least = least or needed
    if capacity is None:
        return Verdict.UNKNOWN
    if max(needed.high, least.high) <= capacity:
        return Verdict.FITS
    return Verdict.DOES_NOT_FIT if least.low > capacity else Verdict.TIGHT


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of several verdicts; UNKNOWN is worse than TIGHT."""
    return min(verdicts, key=WORST_FIRST.index)
