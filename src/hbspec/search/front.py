"""The plans that no other plan is better than in cost, time and headroom, found without estimating most of them.

Best first: the plan whose bounds (`hbspec.search.floors`) are lowest is looked at next. Bounds become exact step by
step, and a plan whose bounds one on the front already beats is never estimated. A plan that is taken when its figures
are exact is final, since nothing that is left can be better.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from heapq import heapify, heappop, heappush
from math import inf
from typing import Any, NamedTuple

from hbspec.diagnostics import NotKnownError
from hbspec.search.burden import Burdens, Steps, burdens, no_better, steps_of
from hbspec.search.choice import Arrangement, Batch, Choice
from hbspec.search.floors import Floors
from hbspec.search.gates import Gates
from hbspec.search.judging import MEMORY, UNKNOWN, Judge, NotRecommendedError, Recommended
from hbspec.search.request import ENDS
from hbspec.search.space import Space

BEATEN = "beaten"

Progress = Callable[[int, int], None]
"""Told how many plans are decided, and of how many."""


class Front(NamedTuple):
    """The result of a search.

    Attributes:
        plans: the best plans, by the objective.
        rejected: the number of plans by the reason why they are not among them.
        searched: the number of plans, and of those that were estimated and judged.
    """

    plans: tuple[Recommended, ...]
    rejected: Mapping[str, int]
    searched: Mapping[str, int]


class _Entry(NamedTuple):
    """What is looked at next: bounds of some plans, or the figures of one."""

    rank: Steps
    exact: bool
    tie: tuple[Any, ...]
    steps: Steps
    refine: Callable[[], Iterator[_Entry]] | None
    plans: int
    choice: Choice | None


class _Hunt:
    def __init__(self, space: Space, progress: Progress) -> None:
        self.space, self.floors, self.judge = space, Floors(space), Judge(space)
        self.gates = Gates(space, self.floors)
        self.end, self.progress = ENDS[space.request.confidence], progress
        self.least = -inf if "tight" in space.request.allow else 0.0  # what is tight may not leave anything free
        self.rejected: Counter[str] = Counter()
        self.found: list[tuple[Steps, Recommended]] = []
        self.left = self.estimated = self.judged = self.serial = 0

    def front(self) -> Front:
        entries = [entry for group in self.gates.groups() for entry in self._bounded(group)]
        heapify(entries)
        while entries:
            entry = heappop(entries)
            self.left -= entry.plans
            self.progress(self.gates.plans - self.left, self.gates.plans)
            if any(no_better(entry.steps, steps) for steps, _ in self.found):
                self.rejected[BEATEN] += entry.plans
            elif entry.refine is not None:
                for refined in entry.refine():
                    heappush(entries, refined)
                    self.left += refined.plans
            elif entry.choice is not None:
                self._take(entry.choice, entry.steps)
        rejected = self.rejected + self.gates.rejected
        counted = {"plans": self.gates.plans, "estimated": self.estimated, "judged": self.judged}
        return Front(tuple(plan for _, plan in self.found), dict(sorted(rejected.items())), counted)

    def _take(self, choice: Choice, steps: Steps) -> None:
        self.judged += 1
        try:
            self.found.append((steps, self.judge.recommended(choice)))
        except NotRecommendedError as refused:
            self.rejected[str(refused)] += 1

    def _bounded(self, group: Arrangement) -> Iterator[_Entry]:
        """A group by the least that any of its plans takes, and the most that plans on its GPUs leave free."""
        try:
            free = self.floors.most_headroom_anywhere(group)
            if free < self.least:
                self.rejected[MEMORY] += group.plans
                return
            seconds = min(self.floors.seconds(group, batch) for batch in group.batches)
            amount = min(
                self.floors.amount(group, batch, place) for batch in group.batches for place in group.machine.places
            )
        except NotKnownError:
            self.rejected[UNKNOWN] += group.plans
            return
        self.left += group.plans
        yield self._entry(steps_of(amount, seconds, free), group.plans, lambda: self._roomed(group, amount, seconds))

    def _roomed(self, group: Arrangement, amount: float, seconds: float) -> Iterator[_Entry]:
        """A group by the most that its own plans leave free."""
        try:
            free = self.floors.most_headroom(group)
        except NotKnownError:
            self.rejected[UNKNOWN] += group.plans
            return
        if free < self.least:
            self.rejected[MEMORY] += group.plans
        else:
            yield self._entry(steps_of(amount, seconds, free), group.plans, lambda: self._each(group))

    def _each(self, group: Arrangement) -> Iterator[_Entry]:
        """Each division of the batch, with what it leaves free."""
        for batch in group.batches:
            yield from self._division(group, batch)

    def _division(self, group: Arrangement, batch: Batch) -> Iterator[_Entry]:
        places = group.machine.places
        try:
            free = self.floors.headroom(group, batch)
            if free < self.least:
                self.rejected[MEMORY] += len(places)
                return
            seconds = self.floors.seconds(group, batch)
            for place in places:
                steps = steps_of(self.floors.amount(group, batch, place), seconds, free)
                choice = Choice(group, batch, place)
                yield self._entry(steps, 1, lambda choice=choice: self._exact(choice))  # type: ignore[misc]
        except NotKnownError:
            self.rejected[UNKNOWN] += len(places)

    def _exact(self, choice: Choice) -> Iterator[_Entry]:
        analysis = self.space.planned(choice)
        try:
            if (code := self.judge.barred(choice, analysis)) is not None:
                self.rejected[code] += 1
                return
            self.estimated += 1
            taken = burdens(analysis)
        except NotKnownError:
            self.rejected[UNKNOWN] += 1
            return
        steps = taken.steps(self.end)
        yield _Entry(self._rank(steps), True, tie(self.space, choice, taken), steps, None, 1, choice)

    def _entry(self, steps: Steps, plans: int, refine: Callable[[], Iterator[_Entry]]) -> _Entry:
        self.serial += 1
        return _Entry(self._rank(steps), False, (self.serial,), steps, refine, plans, None)

    def _rank(self, steps: Steps) -> Steps:
        """The steps in the order of the objective."""
        cost, time, full = steps
        orders = {"cost": (cost, time, full), "time": (time, cost, full), "headroom": (full, cost, time)}
        return orders[self.space.request.objective]


def tie(space: Space, choice: Choice, taken: Burdens) -> tuple[Any, ...]:
    """The order of plans that are equal by what is compared: the fewest settings, then exact figures, then names."""
    change = space.change(choice)
    settings = tuple(sorted((key, str(value)) for key, value in change.to_dict().items()))
    return len(settings), taken.cost.expected, taken.time.total_seconds.expected, -taken.headroom, settings


def front(space: Space, progress: Progress = lambda _done, _all: None) -> Front:
    """The best plans of a space.

    Args:
        space: the plans.
        progress: is told how far the search is.
    """
    return _Hunt(space, progress).front()
