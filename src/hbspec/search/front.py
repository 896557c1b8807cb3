"""The plans that no other plan is better than in cost, time and headroom, found without estimating most of them.

Best first: the plan whose bounds (`hbspec.search.floors`) are lowest is looked at next. Bounds become exact step by
step, and a plan whose bounds one on the front already beats is never estimated. A plan that is taken when its figures
are exact is final, since nothing that is left can be better.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

from hbspec.diagnostics import NotKnownError
from hbspec.search.burden import Burdens, Elsewhere, Steps, no_better, steps_of
from hbspec.search.choice import Arrangement, Batch, Choice
from hbspec.search.floors import SLACK, Floors, Least
from hbspec.search.gates import Gates
from hbspec.search.judging import UNKNOWN, Judge, NotRecommendedError, Recommended
from hbspec.search.request import ENDS
from hbspec.search.space import Space
from hbspec.units import HOUR

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
    plans: int
    refine: Callable[[], Iterator[_Entry]] | None
    found: tuple[Choice, Burdens] | None = None


class _Hunt:
    def __init__(self, space: Space, progress: Progress) -> None:
        self.space, self.floors, self.judge = space, Floors(space), Judge(space)
        self.gates = Gates(space, self.floors)
        self.end, self.progress = ENDS[space.request.confidence], progress
        self.rejected: Counter[str] = Counter()
        self.found: list[tuple[Steps, Recommended]] = []
        self.left = self.estimated = self.judged = self.serial = 0

    def front(self) -> Front:
        entries = [entry for group in self.gates.groups() for entry in self._kept(group.plans, self._bounded(group))]
        self.left = sum(entry.plans for entry in entries)
        heapify(entries)
        while entries:
            entry = heappop(entries)
            self.left -= entry.plans
            self.progress(self.gates.plans - self.left, self.gates.plans)
            if any(no_better(entry.steps, steps) for steps, _ in self.found):
                self.rejected[BEATEN] += entry.plans
            elif entry.found is not None:
                self._take(*entry.found, entry.steps)
            elif entry.refine is not None:
                for refined in self._kept(entry.plans, entry.refine()):
                    heappush(entries, refined)
                    self.left += refined.plans
        rejected = self.rejected + self.gates.rejected
        counted = {"plans": self.gates.plans, "estimated": self.estimated, "judged": self.judged}
        return Front(tuple(plan for _, plan in self.found), dict(sorted(rejected.items())), counted)

    def _kept(self, plans: int, refined: Iterator[_Entry]) -> Iterator[_Entry]:
        """What some plans are refined to; all that are left are rejected where a figure of theirs is not known."""
        try:
            for entry in refined:
                plans -= entry.plans
                yield entry
        except NotRecommendedError as reason:
            self.rejected[str(reason)] += plans
        except NotKnownError:
            self.rejected[UNKNOWN] += plans

    def _take(self, choice: Choice, taken: Burdens, steps: Steps) -> None:
        self.judged += 1
        try:
            self.found.append((steps, self.judge.recommended(choice, taken)))
        except NotRecommendedError as refused:
            self.rejected[str(refused)] += 1

    def _bounded(self, group: Arrangement) -> Iterator[_Entry]:
        """A group by the least that any of its plans takes, and the most that plans on its GPUs leave free."""
        free = self._free(group, self.floors.most_headroom_anywhere(group))
        least = self._least(group, group.batches)
        yield self._entry(least, free, group.plans, lambda: self._roomed(group, least))

    def _roomed(self, group: Arrangement, least: Least) -> Iterator[_Entry]:
        """A group by the most that its own plans leave free."""
        free = self._free(group, self.floors.most_headroom(group))
        yield self._entry(least, free, group.plans, lambda: self._each(group))

    def _each(self, group: Arrangement) -> Iterator[_Entry]:
        """Each division of the batch, with what it leaves free."""
        for batch in group.batches:
            yield from self._kept(len(group.machine.places), self._division(group, batch))

    def _division(self, group: Arrangement, batch: Batch) -> Iterator[_Entry]:
        free = self._free(group, self.floors.headroom(group, batch))
        least = self._least(group, (batch,))
        yield self._entry(least, free, len(group.machine.places), lambda: self._exact(group, batch, free))

    def _exact(self, group: Arrangement, batch: Batch, free: float) -> Iterator[_Entry]:
        """Each place of a division that no rule excludes, with what the plan takes there."""
        allowed = []
        for place in group.machine.places:
            if (code := self.judge.barred(Choice(group, batch, place))) is None:
                allowed.append(place)
            else:
                self.rejected[code] += 1
        if allowed:
            there = group._replace(machine=group.machine._replace(places=tuple(allowed)))
            yield from self._kept(len(allowed), self._timed(there, batch, free))

    def _timed(self, group: Arrangement, batch: Batch, free: float) -> Iterator[_Entry]:
        """Each place of a division by its time, and by its cost without what is billed beside the instances."""
        found, machine = Elsewhere(self.space, group, batch, free), group.machine
        for place in machine.places:
            self.estimated += 1
            took = found.times[place.spot]
            billed, seconds = (getattr(length, self.end) for length in (took.billed_seconds, took.total_seconds))
            least = Least(SLACK * billed / HOUR * self.floors.price(machine, place) * machine.number, seconds)
            choice = Choice(group, batch, place)
            yield self._entry(least, free, 1, lambda choice=choice: self._priced(choice, found))  # type: ignore[misc]

    def _priced(self, choice: Choice, found: Elsewhere) -> Iterator[_Entry]:
        taken = found.burdens(choice.place)
        steps, order = taken.steps(self.end), tie(self.space, choice, taken)
        yield _Entry(self._rank(steps), True, order, steps, 1, None, (choice, taken))

    def _free(self, group: Arrangement, most: float) -> float:
        """The most that some plans leave free.

        Raises:
            NotRecommendedError: none of them may be recommended, as they leave too little.
        """
        if (reason := self.judge.too_full(self.floors.usable(group), most)) is not None:
            raise NotRecommendedError(reason)
        return most

    def _least(self, group: Arrangement, batches: tuple[Batch, ...]) -> Least:
        """The least that plans of a group take.

        Raises:
            NotRecommendedError: it is more than the limits of the request.
        """
        least = self.floors.least(group, batches, group.machine.places)
        if (reason := self.judge.beyond(least.amount, least.seconds)) is not None:
            raise NotRecommendedError(reason)
        return least

    def _entry(self, least: Least, free: float, plans: int, refine: Callable[[], Iterator[_Entry]]) -> _Entry:
        self.serial += 1
        steps = steps_of(least.amount, least.seconds, free)
        return _Entry(self._rank(steps), False, (self.serial,), steps, plans, refine)

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
