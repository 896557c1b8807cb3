"""Times that a log tells: of its lines, and of its updates."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum
from typing import NamedTuple

from hbspec.units import Interval
from hbspec.watching.events import Raw

BLOCK = 10
"""Metric lines whose mean time counts as one pace; the fastest and the slowest pace are the ends of a forecast."""


class TimedUpdate(NamedTuple):
    """A single update: its seconds, and the other fields of its line."""

    seconds: float
    raw: Raw


class Clock:
    """The times of lines: what passed between them, never less than nothing.

    Attributes:
        first, last: of the first and the last line with a time, in seconds since 1970; None before one.
        elapsed: seconds that passed, without the steps back.
        back: how often the clock went back, and `farthest` is by how many seconds at most.
        begun: `elapsed` when the first start began to train; None where no line says that.
        metric: `elapsed` at the last metric line.
        pauses: how often far more time passed between two metric lines than their updates took: the job stood still, or
            the clock went forward. `paused` is these seconds, and `longest` those of the longest pause.
    """

    def __init__(self) -> None:
        self.first: float | None = None
        self.last: float | None = None
        self.elapsed = 0.0
        self.back, self.farthest = 0, 0.0
        self.begun: float | None = None
        self.metric = 0.0
        self.pauses, self.paused, self.longest = 0, 0.0, 0.0

    def take(self, time: float) -> None:
        """The time of the next line."""
        if self.last is None:
            self.first = time
        elif time >= self.last:
            self.elapsed += time - self.last
        else:
            self.back += 1
            self.farthest = max(self.farthest, self.last - time)
        self.last = time

    def pause(self, seconds: float) -> None:
        """So many seconds passed in which nothing was computed, if they passed at all."""
        self.pauses += 1
        self.paused += seconds
        self.longest = max(self.longest, seconds)

    def begin(self) -> None:
        """A start begins to train."""
        if self.begun is None:
            self.begun = self.elapsed

    @property
    def known(self) -> bool:
        """Whether lines have times."""
        return self.first is not None


class Pace:
    """Seconds of updates: their mean, and the fastest and slowest mean of `BLOCK` lines.

    Attributes:
        updates, seconds: all that were timed, each update once.
        fastest, slowest: the extremes of single lines.
    """

    def __init__(self) -> None:
        self.updates, self.seconds = 0, 0.0
        self.fastest, self.slowest = float("inf"), 0.0
        self._sum, self._count = 0.0, 0
        self._now: float | None = None
        self._lowest, self._highest = float("inf"), 0.0

    def take(self, seconds: float, updates: int, *, settled: bool) -> None:
        """The mean time of some updates; `settled` if they are not the first after a start."""
        self.updates += updates
        self.seconds += seconds * updates
        if seconds < self.fastest:
            self.fastest = seconds
        if seconds > self.slowest:
            self.slowest = seconds
        if not settled:
            return
        self._sum += seconds
        self._count += 1
        self._close()

    def take_row(self, seconds: Sequence[float]) -> None:
        """Settled lines of single updates, one after the other."""
        self.updates += len(seconds)
        self.seconds += fsum(seconds)
        self.fastest, self.slowest = min(self.fastest, min(seconds)), max(self.slowest, max(seconds))
        at = 0
        while at < len(seconds):
            part = seconds[at : at + BLOCK - self._count]
            at += len(part)
            self._sum += fsum(part)
            self._count += len(part)
            self._close()

    def _close(self) -> None:
        """A block of lines that is complete is a pace."""
        if self._count == BLOCK:
            self._now = mean = self._sum / BLOCK
            self._lowest, self._highest = min(self._lowest, mean), max(self._highest, mean)
            self._sum, self._count = 0.0, 0

    @property
    def mean(self) -> float | None:
        """Seconds of an update; None before one was timed."""
        return self.seconds / self.updates if self.updates else None

    @property
    def coming(self) -> Interval | None:
        """Seconds of an update that is still to come, between the fastest and the slowest pace so far.

        As long as no `BLOCK` settled lines are there, between the fastest and the slowest line. Left out: what has not
        been seen so far, such as longer rows or a GPU that becomes hot.
        """
        mean = self.mean
        if mean is None:
            return None
        if self._now is None:
            return Interval(self.fastest, min(max(mean, self.fastest), self.slowest), self.slowest)
        return Interval(self._lowest, self._now, self._highest)
