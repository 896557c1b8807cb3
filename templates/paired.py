"""Two models on the same items: which of them is better, by two tests that have to agree.

McNemar's exact test takes every item by itself; the clustered difference takes the items of a template together. Only
the standard library is imported.

Sources: McNemar (1947), https://doi.org/10.1007/BF02295996; Miller (2024), "Adding Error Bars to Evals", section 4.2
(paired differences), https://arxiv.org/abs/2411.00640; Cohen (1988), "Statistical Power Analysis", chapter 5 (g).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from significance import CONFIDENCE, NOT_DECIDED, Ends, betainc, clusters, t_quantile

BETTER, WORSE = "better", "worse"
COUNTED = 1000
"""Items up to which the binomial tail is summed as whole numbers."""


class Compared(NamedTuple):
    """Two models on the same items, the second one against the first.

    Attributes:
        items: that both answered.
        templates: clusters of them.
        only_first: items that the first alone had right.
        only_second: items that the second alone had right.
        difference: share right of the second minus that of the first.
        ends: its clustered confidence interval; None with a single template.
        p_value: of McNemar's exact test, two-sided.
        effect: Cohen's g, the second's part of the items that one alone had right minus a half; None without any.
        verdict: "better", "worse" or "not decided", which both tests have to say.
    """

    items: int
    templates: int
    only_first: int
    only_second: int
    difference: float
    ends: Ends | None
    p_value: float
    effect: float | None
    verdict: str


def compare(first: Sequence[bool], second: Sequence[bool], templates: Sequence[str]) -> Compared:
    """The second model against the first on the same items, by McNemar's exact test and the clustered difference.

    One template more, in which they do not differ, counts in the variance, as none is seen where all differ alike.

    Raises:
        ValueError: both answered no item.
    """
    if not first:
        raise ValueError("no item was answered by both")
    differences = [int(two) - int(one) for one, two in zip(first, second, strict=True)]
    lost, won = differences.count(-1), differences.count(1)
    found = clusters(map(float, differences), templates)
    ends = None
    if found.number >= 2:
        error = found.and_one_of(0.0).error
        reach = t_quantile((1 + CONFIDENCE) / 2, found.number - 1) * error
        ends = Ends(max(-1.0, found.mean - reach), min(1.0, found.mean + reach))
    p_value = mcnemar(lost, won)
    certain = p_value < 1 - CONFIDENCE and ends is not None and (ends.low > 0 or ends.high < 0)
    return Compared(
        items=len(differences),
        templates=int(found.number),
        only_first=lost,
        only_second=won,
        difference=found.mean,
        ends=ends,
        p_value=p_value,
        effect=won / (won + lost) - 0.5 if won + lost else None,
        verdict=(BETTER if won > lost else WORSE) if certain else NOT_DECIDED,
    )


def mcnemar(lost: int, won: int) -> float:
    """The two-sided p-value of McNemar's exact test: a fair coin for each item that one model alone had right."""
    number, fewer = lost + won, min(lost, won)
    tail = sum(math.comb(number, count) for count in range(fewer + 1))
    return min(1.0, 2 * tail / 2**number) if number < COUNTED else min(1.0, 2 * betainc(number - fewer, fewer + 1, 0.5))
