"""How often each whole number occurs: token lengths, and what cutting, padding and packing make of them.

A histogram of lengths is small whatever the data: k different lengths take at least k (k + 1) / 2 tokens, so a billion
tokens have at most 45,000 of them, and chats a few thousand.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from math import exp, lgamma


@dataclass(frozen=True, slots=True)
class Histogram:
    """Lengths in ascending order, and how many examples have each. Of none there is no mean and no longest.

    Attributes:
        lengths: in tokens, from 1.
        counts: of the examples of that length, from 1.
    """

    lengths: tuple[int, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, counted: Mapping[int, int]) -> Histogram:
        """From length to count, in any order."""
        lengths = sorted(counted)
        return cls(tuple(lengths), tuple(counted[length] for length in lengths))

    @property
    def size(self) -> int:
        """Examples."""
        return sum(self.counts)

    @property
    def total(self) -> int:
        """Tokens of all examples."""
        return sum(length * count for length, count in self.pairs())

    @property
    def mean(self) -> float:
        """Tokens of the mean example."""
        return self.total / self.size

    @property
    def longest(self) -> int:
        """Tokens of the longest example."""
        return self.lengths[-1]

    def pairs(self) -> Iterable[tuple[int, int]]:
        """Each length with its count, in ascending order."""
        return zip(self.lengths, self.counts, strict=True)

    def at(self, rank: int) -> int:
        """The length of the example with this rank, from 0 for the shortest."""
        reached = list(accumulate(self.counts))
        return self.lengths[bisect_left(reached, rank + 1)]

    def cut(self, cap: int) -> Histogram:
        """After truncation: what is longer than `cap` has that length."""
        kept = bisect_left(self.lengths, cap)
        if kept == len(self.lengths):
            return self
        return Histogram((*self.lengths[:kept], cap), (*self.counts[:kept], sum(self.counts[kept:])))

    def above(self, cap: int) -> int:
        """Examples longer than `cap`."""
        return sum(count for length, count in self.pairs() if length > cap)

    def lost(self, cap: int) -> int:
        """Tokens beyond `cap`."""
        return sum((length - cap) * count for length, count in self.pairs() if length > cap)

    def maximum(self, draws: int) -> Iterator[tuple[int, float]]:
        """Each length with the probability that it is the longest of `draws` examples drawn without replacement.

        P(longest <= x) = C(c, m) / C(n, m), with n examples, c of them of x tokens or fewer, and m draws. A
        micro-batch of a shuffled epoch is such a draw. More draws than examples are as many as there are.
        """
        size = self.size
        draws = min(draws, size)
        below, reached = 0.0, 0
        for length, count in self.pairs():
            reached += count
            within = _all_within(reached, size, draws)
            yield length, within - below
            below = within

    def padded(self, draws: int) -> float:
        """Expected tokens of a row that is padded to the longest of its `draws`: E[max]."""
        return self.mean if draws == 1 else sum(length * share for length, share in self.maximum(draws))

    def padded_square(self, draws: int) -> float:
        """The expected square of that length, E[max²], which the cost of attention follows."""
        return sum(length * length * share for length, share in self.maximum(draws))

    def packed(self, capacity: int) -> int:
        """Rows of `capacity` tokens that the examples fill, packed as TRL packs: best fit, longest first.

        An example that is longer is cut at `capacity`. Examples of one length go to rows with one space together, as
        many as each row holds, which is where best fit would put them one by one. Source: TRL 1.16,
        `data_utils._pack_bfd` (`packing_strategy="bfd"`). Leaves out that `datasets.map` hands it 1,000 examples at a
        time, so that each thousand has a last row of its own.
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
        """Whether no example is longer than the one of the same rank in `other`, which has as many."""
        if self.size != other.size:
            return False
        ranks = list(accumulate(other.counts))
        last = accumulate(self.counts)
        # of a run of equal lengths the first rank decides: in `other` the later ones are no shorter
        return all(
            length <= other.lengths[bisect_left(ranks, end - count + 1)]
            for (length, count), end in zip(self.pairs(), last, strict=True)
        )


def _all_within(within: int, size: int, draws: int) -> float:
    """C(within, draws) / C(size, draws), in logarithms: neither fits a float."""
    if within < draws:
        return 0.0
    if draws == 1:
        return within / size
    return exp(lgamma(within + 1) - lgamma(within - draws + 1) - (lgamma(size + 1) - lgamma(size - draws + 1)))
