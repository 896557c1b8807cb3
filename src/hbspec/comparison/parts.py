"""The interval of a difference of two estimates that share some of what is not known about them.

Each estimate is a sum of parts: a size that is only known within an interval, times how often the job has it. A part
that both jobs have is one unknown number, not two: whatever it turns out to be, it is the same in both, so that what
counts is how much more often one of them has it. The difference of `w' (Σ n'_i x_i) - w (Σ n_i x_i)` over all sizes
x_i is

    Σ (w' n'_i - w n_i) x_i,    each x_i within its interval,

whose ends are those of its summands, since every unknown occurs once. Where the sizes of two parts are bound to each
other in another way, the difference is the hull over several cases, in each of which they are free.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hbspec.units import Interval

ONE = Interval.exact(1)


class Unknown(NamedTuple):
    """A size that is not known exactly, and how often the first job and the other one have it; at least 0 times."""

    size: Interval
    first: float
    other: float


Case = tuple[Unknown, ...]


class Difference(NamedTuple):
    """A figure of one spec minus the same figure of the first.

    Attributes:
        interval: everything that the difference may be.
        same: whether both figures are the same number, known or not.
    """

    interval: Interval
    same: bool = False

    @property
    def certain(self) -> bool:
        """Whether the interval does not hold zero, so that it is known which of the two is larger."""
        return not self.same and (self.interval.low > 0 or self.interval.high < 0)


SAME = Difference(Interval.exact(0), same=True)


def hull(cases: Iterable[Case], weights: tuple[Interval, Interval] = (ONE, ONE)) -> tuple[float, float]:
    """The least and the most of `other - first` over all cases.

    Args:
        cases: the parts of both, in every case; at least one.
        weights: what a unit of a part counts for in the first and in the other; at least 0.
    """
    ends = [_ends(case, *weights) for case in cases]
    return min(low for low, _ in ends), max(high for _, high in ends)


def between(ends: tuple[float, float], first: Interval, other: Interval) -> Interval:
    """The interval of `other - first` with some ends, and within what two unrelated figures would differ by."""
    apart = unrelated(first, other)
    low, high = max(ends[0], apart.low), min(ends[1], apart.high)
    return Interval(min(low, apart.expected), apart.expected, max(high, apart.expected))


def unrelated(first: Interval, other: Interval) -> Interval:
    """The interval of `other - first` of figures that share nothing."""
    return Interval(other.low - first.high, other.expected - first.expected, other.high - first.low)


def _ends(case: Sequence[Unknown], first: Interval, other: Interval) -> tuple[float, float]:
    low = high = 0.0
    for part in case:
        least = other.low * part.other - first.high * part.first
        most = other.high * part.other - first.low * part.first
        ends = [count * size for count in (least, most) for size in (part.size.low, part.size.high)]
        low, high = low + min(ends), high + max(ends)
    return low, high
