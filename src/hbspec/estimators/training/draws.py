"""The row lengths that decide how much a process reserves, drawn in seeded orders.

A row that is no longer than one before it finds the blocks of that one. So of all micro-batches those with the longest
rows so far matter, and a job of any length has few of these, about the logarithm of its micro-batches. The others add
under 1 %, and up to 6 % where eager attention keeps its scores (`tests/estimators/test_replay.py`).
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from random import Random

from hbspec.histogram import Histogram
from hbspec.plan.lengths import Lengths

MOST_DRAWN = 1000
"""Micro-batches that are drawn: ten times as many have two more that are the longest so far."""


MOST_RECORDS = 14
"""Rows that are longer than all before them: of random orders of `MOST_DRAWN` micro-batches 97 % have no more."""


@lru_cache(maxsize=64)
def records(lengths: Lengths, longest: int, micro_batch: int, micro_batches: int, seed: int) -> tuple[int, ...]:
    """Tokens of the rows of every micro-batch that is longer than all before it, in order.

    Examples are drawn with replacement. The last one is the longest row of the data. The last results are kept: a spec
    is judged many times with the same lengths.

    Args:
        lengths: lengths of the examples, after truncation.
        longest: tokens of the longest row.
        micro_batch: examples of a micro-batch, which are padded to the longest of them.
        micro_batches: how many a GPU computes in the whole job.
        seed: of the order.

    >>> from hbspec.plan.lengths import given_lengths
    >>> records(given_lengths(512, 512), 512, 4, 1000, seed=1)
    (512,)
    """
    random = Random(seed)  # noqa: S311  (an order, not a secret)
    number = min(micro_batches, MOST_DRAWN)
    # the largest of m numbers that are uniform from 0 to 1 is distributed as the m-th root of one
    rows = lengths_at(lengths, longest, [random.random() ** (1 / micro_batch) for _ in range(number)])
    reached = [0, *accumulate(rows, max)]
    return (*(after for before, after in pairwise(reached) if before < after < longest), longest)


def rising(longest: int) -> tuple[int, ...]:
    """Rows that become longer in `MOST_RECORDS` equal steps, up to the longest row of the data.

    >>> rising(1400)
    (100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1100, 1200, 1300, 1400)
    """
    return tuple(dict.fromkeys(max(1, longest * step // MOST_RECORDS) for step in range(1, MOST_RECORDS + 1)))


def lengths_at(lengths: Lengths, longest: int, shares: Sequence[float]) -> list[int]:
    """The lengths that such shares of the examples do not exceed."""
    if lengths.histograms is not None:
        histogram: Histogram = lengths.histograms[1]
        reached = list(accumulate(histogram.counts))
        return [histogram.lengths[bisect(reached, share * reached[-1], hi=len(reached) - 1)] for share in shares]
    power = max(0.0, lengths.longest.expected / lengths.mean.expected - 1)
    return [max(1, round(share**power * longest)) for share in shares]


def updates(rows: Sequence[int], *, accumulates: bool) -> tuple[tuple[int, ...], ...]:
    """Updates that hold the rows of some micro-batches in their order, and the last of them once more.

    With accumulation an update has two of them, as the first leaves gradients to the second.

    >>> updates((100, 200), accumulates=False), updates((100, 200), accumulates=True)
    (((100,), (200,), (200,)), ((100, 200), (200, 200)))
    """
    if not accumulates:
        return tuple((row,) for row in (*rows, rows[-1]))
    filled = [*rows, rows[-1], rows[-1]][: len(rows) // 2 * 2 + 2]
    return tuple(zip(filled[::2], filled[1::2], strict=True))
