"""Histograms of token lengths, and the effects of truncation, padding and packing.

A histogram of lengths is small whatever the data: k different lengths need at least k (k + 1) / 2 tokens, so a billion
tokens have at most 45,000 lengths, and chats a few thousand.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, wraps
from itertools import accumulate
from math import exp, lgamma
from typing import Any, TypeVar

T = TypeVar("T")


def _once(method: Callable[[Any, int], T]) -> Callable[[Any, int], T]:
    """A method that is calculated once for each argument: all plans of a search ask for few."""

    @wraps(method)
    def found(histogram: Histogram, argument: int) -> T:
        known = histogram.found.setdefault(method.__name__, {})
        if argument not in known:
            known[argument] = method(histogram, argument)
        return known[argument]  # type: ignore[no-any-return]

    return found


@dataclass(frozen=True)
class Histogram:
    """Lengths in ascending order with the number of examples of each. An empty histogram lacks a mean and a longest.

    Attributes:
        lengths: tokens, from 1.
        counts: numbers of examples of each length, from 1.
    """

    lengths: tuple[int, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, counted: Mapping[int, int]) -> Histogram:
        """The histogram of counts by length, in any order."""
        lengths = sorted(counted)
        return cls(tuple(lengths), tuple(counted[length] for length in lengths))

    @cached_property
    def found(self) -> dict[str, dict[int, Any]]:
        """What was calculated once, by method and argument."""
        return {}

    @cached_property
    def size(self) -> int:
        """The number of examples."""
        return sum(self.counts)

    @cached_property
    def total(self) -> int:
        """The number of tokens of all examples."""
        return sum(length * count for length, count in self.pairs())

    @property
    def mean(self) -> float:
        """The mean number of tokens of an example."""
        return self.total / self.size

    @property
    def longest(self) -> int:
        """The number of tokens of the longest example."""
        return self.lengths[-1]

    def pairs(self) -> Iterable[tuple[int, int]]:
        """Each length with its count, in ascending order."""
        return zip(self.lengths, self.counts, strict=True)

    def at(self, rank: int) -> int:
        """The length of the example with this rank; 0 is the shortest."""
        reached = list(accumulate(self.counts))
        return self.lengths[bisect_left(reached, rank + 1)]

    @_once
    def cut(self, cap: int) -> Histogram:
        """The histogram after truncation of longer examples to `cap` tokens."""
        kept = bisect_left(self.lengths, cap)
        if kept == len(self.lengths):
            return self
        return Histogram((*self.lengths[:kept], cap), (*self.counts[:kept], sum(self.counts[kept:])))

    def shortest(self, count: int) -> Histogram:
        """The histogram of so many of the shortest examples, or of all."""
        left, lengths, counts = count, [], []
        for length, number in self.pairs():
            if left <= 0:
                break
            lengths.append(length)
            counts.append(min(number, left))
            left -= number
        return Histogram(tuple(lengths), tuple(counts))

    def above(self, cap: int) -> int:
        """The number of examples longer than `cap` tokens."""
        return sum(count for length, count in self.pairs() if length > cap)

    def lost(self, cap: int) -> int:
        """The number of tokens lost by truncation to `cap` tokens."""
        return sum((length - cap) * count for length, count in self.pairs() if length > cap)

    def maximum(self, draws: int) -> Iterator[tuple[int, float]]:
        """Each length with the probability that it is the longest of `draws` examples, drawn without replacement.

        P(longest <= x) = C(c, m) / C(n, m), with n examples, c of them of x tokens or fewer, and m draws. A micro-batch
        of a shuffled epoch is such a draw. The number of draws is limited to that of the examples.
        """
        size = self.size
        draws = min(draws, size)
        below, reached = 0.0, 0
        for length, count in self.pairs():
            reached += count
            within = _all_within(reached, size, draws)
            yield length, within - below
            below = within

    @_once
    def padded(self, draws: int) -> float:
        """The expected length of a row that is padded to the longest of `draws` examples: E[max]."""
        return self.mean if draws == 1 else sum(length * share for length, share in self.maximum(draws))

    @_once
    def padded_square(self, draws: int) -> float:
        """The expected square of the padded length, E[max²], to which the cost of attention is proportional."""
        return sum(length * length * share for length, share in self.maximum(draws))

    @_once
    def packed(self, capacity: int) -> int:
        """The number of rows of `capacity` tokens that the examples fill, packed as in TRL: best fit, longest first.

        Longer examples are truncated to `capacity`. Examples of one length go together to rows with one amount of free
        space, as many as fit, which is where best fit would put them one by one. Source: TRL 1.16,
        `data_utils._pack_bfd` (`packing_strategy="bfd"`). Left out: `datasets.map` passes it 1,000 examples at a time,
        so that each thousand has its own last row.
        """
        rows = 0
        free: dict[int, int] = {}
        spaces: list[int] = []

        def leave(space: int, count: int) -> None:
            if count and space:
                if space not in free:
                    insort(spaces, space)
                free[space] = free.get(space, 0) + count

        cut = self.cut(capacity)
        for length, count in zip(reversed(cut.lengths), reversed(cut.counts), strict=True):
            left = count
            while left:
                place = bisect_left(spaces, length)
                if place == len(spaces):
                    each = capacity // length
                    filled, left = divmod(left, each)
                    rows += filled + (left > 0)
                    leave(capacity - each * length, filled)
                    leave(capacity - left * length, 1 if left else 0)
                    break
                space = spaces[place]
                each = min(space // length, left)
                taken = min(free[space], left // each)
                free[space] -= taken
                if not free[space]:
                    del free[space], spaces[place]
                left -= taken * each
                leave(space - each * length, taken)
        return rows

    def is_within(self, other: Histogram) -> bool:
        """Whether `other` has as many examples, and no example is longer than the one of the same rank in `other`."""
        if self.size != other.size:
            return False
        ranks = list(accumulate(other.counts))
        last = accumulate(self.counts)
        # the first rank in a run of equal lengths decides: in `other`, later ranks are at least as long
        return all(
            length <= other.lengths[bisect_left(ranks, end - count + 1)]
            for (length, count), end in zip(self.pairs(), last, strict=True)
        )


def _all_within(within: int, size: int, draws: int) -> float:
    """The ratio C(within, draws) / C(size, draws), by logarithms because neither fits a float."""
    if within < draws:
        return 0.0
    if draws == 1:
        return within / size
    return exp(lgamma(within + 1) - lgamma(within - draws + 1) - (lgamma(size + 1) - lgamma(size - draws + 1)))
