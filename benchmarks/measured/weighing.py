"""Values beside their estimates, weighed by source or by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from hbspec.units import Interval
from measured.judged import Judged
from measured.quantile import quantile

Weighing = Literal["by_source", "by_row"]
"""Every source weighs the same however many rows it published, or every row does."""


class Compared(NamedTuple):
    """Every value of a metric that has an estimate, with its weight."""

    pairs: Sequence[tuple[float, Interval]]
    weights: Sequence[float]

    @classmethod
    def of(cls, judged: Iterable[Judged], metric: str, weighing: Weighing = "by_source") -> Compared:
        """All values of a metric."""
        found = [(entry.row.source, pair) for entry in judged if (pair := entry.pair(metric))]
        sizes = Counter(source for source, _ in found)
        weights = [1 / sizes[source] if weighing == "by_source" else 1.0 for source, _ in found]
        return cls([pair for _, pair in found], weights)

    @property
    def errors(self) -> list[float]:
        """Absolute errors as fractions of what was measured."""
        return [abs(estimated.expected / value - 1) for value, estimated in self.pairs]

    def error(self, share: float) -> float | None:
        """The error that a share of the weight does not exceed; None without values."""
        return quantile(self.errors, self.weights, share)

    @property
    def inside(self) -> float | None:
        """The share of the weight whose interval holds what was measured; None without values."""
        holds = [found.low <= value <= found.high for value, found in self.pairs]
        weight = sum(weight for weight, inside in zip(self.weights, holds, strict=True) if inside)
        return weight / sum(self.weights) if self.weights else None

    def median(self, size: Callable[[Interval], float]) -> float | None:
        """Of a number of the intervals; None without values."""
        return quantile([size(estimated) for _, estimated in self.pairs], self.weights, 0.5)


def width(estimated: Interval) -> float:
    """Half of an interval as a fraction of what is expected."""
    return (estimated.high - estimated.low) / (2 * estimated.expected)


def ratio(estimated: Interval) -> float:
    """The high end of an interval over its low end."""
    return estimated.high / estimated.low
