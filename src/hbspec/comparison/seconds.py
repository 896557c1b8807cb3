"""The difference of two jobs' times, phase by phase.

What computes (the steps and the evaluations) follows the `kinship` of the two. Of the phases around it, those that
take as long by the same arithmetic on the same type of instance are one unknown; the others are unrelated. So a
difference is one between plans under the same circumstances: of two runs, one may still wait longer for its instance.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product
from math import log

from hbspec.comparison.kinship import ALIKE, Kinship, kinship, same_hosts, same_tokens
from hbspec.comparison.parts import SAME, Case, Difference, Unknown, between, hull
from hbspec.estimators.constants import STEP
from hbspec.estimators.job.step_time import usual_step
from hbspec.estimators.job.time import NOT_BILLED, Time, time
from hbspec.plan import Plan
from hbspec.units import Interval

COMPUTED = ("steps", "evaluation")
"""Phases that compute; all others are around them."""
ERROR_CELLS, TOKEN_CELLS = 6, 4
"""Parts into which the range of a common unknown is divided. In each, the time lies between those at its two ends,
since it grows with both; more of them make the difference narrower by less and less."""

Job = tuple[Plan, Time]


def time_difference(first: Job, other: Job) -> Difference:
    """Seconds of the other job, from the request to its result, minus those of the first."""
    if same_time(first, other):
        return SAME
    found = hull(cases(first, other))
    return Difference(between(found, first[1].total_seconds, other[1].total_seconds))


def same_time(first: Job, other: Job) -> bool:
    """Whether both jobs take the very same time, whatever it is."""
    (plan, one), (changed, two) = first, other
    return one.phases == two.phases and same_hosts(plan, changed) and kinship(plan, changed) is Kinship.SAME


def cases(first: Job, other: Job, *, billed: bool = False) -> list[Case]:
    """The parts of the times of two jobs, in seconds; without what is not billed if `billed` is set."""
    around = tuple(_around(first, other, NOT_BILLED if billed else frozenset()))
    return [(*computed, *around) for computed in _computed(first, other)]


def _around(first: Job, other: Job, left_out: frozenset[str]) -> Iterator[Unknown]:
    (_, one), (_, two) = first, other
    shares = same_hosts(first[0], other[0])
    for name in dict.fromkeys((*one.phases, *two.phases)):
        if name in COMPUTED or name in left_out:
            continue
        mine, theirs = one.phases.get(name), two.phases.get(name)
        if shares and mine is not None and mine == theirs:
            yield Unknown(mine, 1, 1)
            continue
        if mine is not None:
            yield Unknown(mine, 1, 0)
        if theirs is not None:
            yield Unknown(theirs, 0, 1)


def _computed(first: Job, other: Job) -> Iterator[Case]:
    found = kinship(first[0], other[0])
    if found is Kinship.SAME and not (first[0].loops or other[0].loops):
        yield tuple(_counted(first, other))
    elif found is Kinship.ALIKE:
        yield from _alike(first[0], other[0])
    else:
        yield Unknown(_sum(first[1]), 1, 0), Unknown(_sum(other[1]), 0, 1)


def _sum(found: Time) -> Interval:
    return sum((took for name, took in found.phases.items() if name in COMPUTED), Interval.exact(0))


def _counted(first: Job, other: Job) -> Iterator[Unknown]:
    """The same micro-batches and updates in other numbers; so are evaluations that take another multiple of a time."""
    (plan, one), (changed, two) = first, other
    step, counts, others = usual_step(plan), plan.require("counts"), changed.require("counts")
    yield Unknown(step.micro_batch, counts.micro_batches, others.micro_batches)
    yield Unknown(step.update, counts.optimizer_steps, others.optimizer_steps)
    mine, theirs = (found.phases.get("evaluation", Interval.exact(0)) for found in (one, two))
    factor = theirs.expected / mine.expected if mine.expected else 0.0
    if _near(mine * factor, theirs):
        yield Unknown(mine, 1, factor)
    else:
        yield from (Unknown(mine, 1, 0), Unknown(theirs, 0, 1))


def _near(one: Interval, other: Interval) -> bool:
    ends = zip((one.low, one.high), (other.low, other.high), strict=True)
    return all(abs(left - right) <= 1e-9 * max(abs(left), abs(right)) for left, right in ends)


def _alike(plan: Plan, changed: Plan) -> Iterator[Case]:
    """Cells of the common error and of the common number of tokens, in each of which both times are free.

    The other job's error is within `ALIKE` of the first one's, and neither is outside `STEP.error`.
    """
    least, most = STEP.error.low, STEP.error.high
    errors = [least * (most / least) ** (number / ERROR_CELLS) for number in range(ERROR_CELLS + 1)]
    shared = same_tokens(plan, changed) and not plan.row_tokens.is_exact
    cells = TOKEN_CELLS if shared else 1
    mine, theirs = _Times(plan, cells), _Times(changed, cells)
    for (low, high), part in product(pairwise(errors), range(cells)):
        others = max(least, low / ALIKE), min(most, high * ALIKE)
        yield Unknown(mine.between(low, high, part), 1, 0), Unknown(theirs.between(*others, part), 0, 1)


class _Times:
    """The seconds that a job computes, by the error of the estimate and by how far its tokens are up their range."""

    def __init__(self, plan: Plan, cells: int) -> None:
        self._plan, self._cells = plan, cells
        self._found: dict[tuple[float, int], Interval] = {}

    def between(self, low: float, high: float, part: int) -> Interval:
        """Over errors from `low` to `high`, and the tokens of one cell."""
        least, most = self._at(low, part), self._at(high, part + 1)
        return Interval(least.low, max(least.low, min(least.expected, most.high)), most.high)

    def _at(self, error: float, end: int) -> Interval:
        key = round(log(error), 9), end
        if key not in self._found:
            plan, constants = self._plan, STEP._replace(error=Interval.exact(error))
            if self._cells > 1:
                share = end / self._cells
                plan = plan._replace(
                    row_tokens=_point(plan.row_tokens, share), padded_row_tokens=_point(plan.padded_row_tokens, share)
                )
            self._found[key] = _sum(time(plan._replace(spot=False), constants))
        return self._found[key]


def _point(interval: Interval, share: float) -> Interval:
    """The value so far up an interval, half of which lies below what is expected."""
    low, expected, high = interval.low, interval.expected, interval.high
    if share <= 0.5:
        return Interval.exact(low + (expected - low) * 2 * share)
    return Interval.exact(expected + (high - expected) * (2 * share - 1))
