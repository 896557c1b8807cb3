"""What a share of right answers says: confidence intervals, verdicts, and the items that one needs.

Items of one template are not independent, so each share has two intervals: the exact one of Clopper and Pearson, in
which every item counts by itself, and the exact one of as many items as are effectively independent, by the
cluster-robust variance with templates as clusters (Korn and Graubard). What is decided is decided by the wider end of
the two. Only the standard library is imported: a job has no scipy.

Sources: Clopper and Pearson (1934), https://doi.org/10.1093/biomet/26.4.404; Miller (2024), "Adding Error Bars to
Evals", section 2.2 (clustered standard errors), https://arxiv.org/abs/2411.00640; Korn
and Graubard (1998), "Confidence intervals for proportions with small expected number of positive counts estimated from
survey data", Survey Methodology 24, 193-201; the factor G / (G - 1) and Student's t with G - 1 degrees of freedom:
Cameron and Miller (2015), "A Practitioner's Guide to Cluster-Robust Inference", https://doi.org/10.3368/jhr.50.2.317.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

CONFIDENCE = 0.95
"""Of two-sided intervals: each end is wrong in at most one of 40 evaluations."""
PASSED, FAILED, NOT_DECIDED = "passed", "failed", "not decided"
MOST_ITEMS = 10**5
"""Items beyond which no number is named that would decide: the share is as good as the threshold."""
TINY, PRECISION, MOST_TERMS, BISECTIONS = 1e-300, 1e-15, 10_000, 50


class Ends(NamedTuple):
    """A closed interval."""

    low: float
    high: float


class Clusters(NamedTuple):
    """The sums over clusters from which variances are calculated.

    Attributes:
        number: clusters.
        items: in all of them.
        total: of the values of all items.
        squares: of each cluster's total, squared.
        products: of each cluster's total times its size.
        sizes: of each cluster's size, squared.
    """

    number: float
    items: float
    total: float
    squares: float
    products: float
    sizes: float

    def times(self, factor: float) -> Clusters:
        """So many clusters of the same kind."""
        return Clusters(*(factor * one for one in self))

    def and_one_of(self, value: float) -> Clusters:
        """One more cluster, of average size, in which every item has a value."""
        size = self.items / self.number
        added = (1, size, value * size, (value * size) ** 2, value * size * size, size * size)
        return Clusters(*(mine + more for mine, more in zip(self, added, strict=True)))

    @property
    def mean(self) -> float:
        """The mean over items."""
        return self.total / self.items

    @property
    def error(self) -> float:
        """The cluster-robust standard error of the mean; at least two clusters."""
        mean = self.mean
        spread = max(self.squares - 2 * mean * self.products + mean * mean * self.sizes, 0.0)
        return math.sqrt(spread * self.number / (self.number - 1)) / self.items


class Share(NamedTuple):
    """A share of right answers and what it says.

    Attributes:
        right: right answers.
        items: answers.
        templates: clusters.
        by_item: the exact interval, as if all items were independent.
        by_template: the clustered interval; None with a single template.
        ends: the wider end of both on each side, 0 to 1 with a single template.
    """

    right: int
    items: int
    templates: int
    by_item: Ends
    by_template: Ends | None
    ends: Ends

    @property
    def share(self) -> float:
        """Right answers among all."""
        return self.right / self.items


def clusters(values: Iterable[float], names: Iterable[str]) -> Clusters:
    """The sums of values by the names of their clusters, of which there is one for each value."""
    totals: dict[str, tuple[float, int]] = {}
    for value, name in zip(values, names, strict=True):
        total, size = totals.get(name, (0.0, 0))
        totals[name] = (total + value, size + 1)
    pairs = totals.values()
    return Clusters(
        number=len(totals),
        items=sum(size for _, size in pairs),
        total=sum(total for total, _ in pairs),
        squares=sum(total * total for total, _ in pairs),
        products=sum(total * size for total, size in pairs),
        sizes=sum(size * size for _, size in pairs),
    )


def share(right: Sequence[bool], templates: Sequence[str]) -> Share:
    """The share of right answers with its intervals.

    Raises:
        ValueError: nothing was answered.
    """
    if not right:
        raise ValueError("no answer was scored")
    found = clusters(map(float, right), templates)
    by_item, by_template, ends = intervals(found)
    return Share(sum(right), len(right), int(found.number), by_item, by_template, ends)


def intervals(found: Clusters) -> tuple[Ends, Ends | None, Ends]:
    """The exact interval by item, the clustered one, and the wider ends of both."""
    by_item = exact(found.total, found.items)
    if found.number < 2:
        return by_item, None, Ends(0.0, 1.0)
    by_template = Ends(_low(found), _high(found))
    return by_item, by_template, Ends(min(by_item.low, by_template.low), max(by_item.high, by_template.high))


def _low(found: Clusters) -> float:
    """The lower end of the exact interval of the effective number of items; at least two clusters.

    Where all answers are right, no variance is seen, which would be certainty after two templates. So one template more
    counts in the variance, which was not seen and is all wrong.
    """
    items = _effective(found, found.and_one_of(0.0))
    return exact(found.mean * items, items).low


def _high(found: Clusters) -> float:
    """The upper end, likewise, with a template more that is all right."""
    items = _effective(found, found.and_one_of(1.0))
    return exact(found.mean * items, items).high


def _effective(found: Clusters, with_one_more: Clusters) -> float:
    """Independent items that would say as much: of the same variance, and of the same quantile of Student's t."""
    mean, error = with_one_more.mean, with_one_more.error
    if not error:
        return found.items
    independent = mean * (1 - mean) / error**2 * found.items / with_one_more.items
    chance = (1 + CONFIDENCE) / 2
    ratio = t_quantile(chance, found.items - 1) / t_quantile(chance, found.number - 1)
    return min(found.items, independent * ratio**2)


def verdict(ends: Ends, least: float) -> str:
    """`passed` only where the whole interval reaches the threshold, `failed` only where all of it is below."""
    if ends.low >= least:
        return PASSED
    return FAILED if ends.high < least else NOT_DECIDED


def items_needed(right: Sequence[bool], templates: Sequence[str], least: float) -> int | None:
    """Items after which the same share, from templates of the same kind, decides; None above `MOST_ITEMS`.

    To a hundredth of them, rounded up.
    """
    found = clusters(map(float, right), templates)
    if found.number < 2:
        return None

    def decided(items: int) -> bool:
        scaled = found.times(items / found.items)
        return _low(scaled) >= least if found.mean >= least else _high(scaled) < least

    return _fewest(decided, len(right), within=0.01)


def items_that_can_pass(least: float) -> int | None:
    """The fewest items of which the exact interval reaches a threshold when all are right; None above `MOST_ITEMS`."""
    return _fewest(lambda items: exact(items, items).low >= least, 1)


def _fewest(enough: Callable[[int], bool], least: int, within: float = 0.0) -> int | None:
    """The fewest items that are enough, or up to a share `within` more, by bisection."""
    if enough(least):
        return least
    most = MOST_ITEMS
    if not enough(most):
        return None
    while most - least > max(1, within * most):
        middle = round(math.sqrt(least * most)) if most > 2 * least else (least + most) // 2
        least, most = (least, middle) if enough(middle) else (middle, most)
    return most


def exact(right: float, items: float) -> Ends:
    """The interval of Clopper and Pearson for a share; the counts may be fractions, as of a sample scaled up."""
    outside = (1 - CONFIDENCE) / 2
    low = 0.0 if right <= 0 else beta_quantile(outside, right, items - right + 1)
    high = 1.0 if right >= items else beta_quantile(1 - outside, right + 1, items - right)
    return Ends(low, high)


def beta_quantile(chance: float, first: float, second: float) -> float:
    """The quantile of a beta distribution, by bisection to the last bit that matters."""
    return _bisected(lambda value: betainc(first, second, value) < chance, 0.0, 1.0)


@lru_cache(maxsize=1024)
def t_quantile(chance: float, freedom: float) -> float:
    """The quantile of Student's t above its median, `chance` from 0.5 to 1."""

    def below(value: float) -> bool:
        return 1 - betainc(freedom / 2, 0.5, freedom / (freedom + value * value)) / 2 < chance

    most = 1.0
    while below(most):
        most *= 2
    return _bisected(below, 0.0, most)


def _bisected(below: Callable[[float], bool], low: float, high: float) -> float:
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return (low + high) / 2


def betainc(first: float, second: float, value: float) -> float:
    """The regularised incomplete beta function, by its continued fraction: https://dlmf.nist.gov/8.17.E22."""
    if value <= 0 or value >= 1:
        return 0.0 if value <= 0 else 1.0
    if value > (first + 1) / (first + second + 2):
        return 1 - betainc(second, first, 1 - value)
    logarithm = math.lgamma(first + second) - math.lgamma(first) - math.lgamma(second)
    logarithm += first * math.log(value) + second * math.log1p(-value)
    return math.exp(logarithm) / first * _fraction(first, second, value)


def _fraction(first: float, second: float, value: float) -> float:
    """The continued fraction, by the modified method of Lentz."""
    ratio = 1.0
    inverse = 1 / _kept(1 - (first + second) * value / (first + 1))
    found = inverse
    for place in range(1, MOST_TERMS):
        even = place * (second - place) * value / ((first + 2 * place - 1) * (first + 2 * place))
        odd = -(first + place) * (first + second + place) * value
        odd /= (first + 2 * place) * (first + 2 * place + 1)
        for term in (even, odd):
            inverse = 1 / _kept(1 + term * inverse)
            ratio = _kept(1 + term / ratio)
            found *= ratio * inverse
        if abs(ratio * inverse - 1) < PRECISION:
            break
    return found


def _kept(number: float) -> float:
    """The number, away from 0."""
    return number if abs(number) > TINY else TINY
