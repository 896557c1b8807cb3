"""Which of several specs to take, and by what: only a difference whose interval does not hold zero decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from hbspec.comparison.fairness import data_text, letter
from hbspec.comparison.figures import Figure, figures
from hbspec.comparison.parts import Difference
from hbspec.comparison.standing import Standing, standing
from hbspec.diagnostics import Report
from hbspec.search.sameness import trained_otherwise

if TYPE_CHECKING:
    from hbspec.api import Estimates

ONLY = "ready"
"""What decides where a single spec can be taken as it is."""
OF_JOB, OF_ENDPOINT = ("cost", "time"), ("endpoint_cost_per_hour", "endpoint_latency")
"""Figures that decide, the first before the second; those of the endpoint where the jobs are the same."""
CHEAPER = frozenset({OF_JOB[0], OF_ENDPOINT[0]})
"""Those of them that are money."""


class Decision(NamedTuple):
    """What one figure says of a spec and others.

    Attributes:
        spec: the number of the spec whose figure is expected to be the least.
        figures: the figure of this spec and of each other, by the other's number.
    """

    spec: int
    figures: Mapping[int, Figure]

    @property
    def certain(self) -> bool:
        """Whether it is certain to be less than that of every other."""
        return bool(self.figures) and all(_difference(figure).certain for figure in self.figures.values())

    @property
    def same(self) -> bool:
        """Whether all have the very same."""
        return all(_difference(figure).same for figure in self.figures.values())

    @property
    def level(self) -> tuple[int, ...]:
        """The spec, and the others whose figure is not certain to be more."""
        return (self.spec, *(number for number, one in self.figures.items() if not _difference(one).certain))

    @property
    def nearest(self) -> int:
        """The other spec whose figure is expected to differ least."""
        return min(self.figures, key=lambda number: _difference(self.figures[number]).interval.expected)


class Recommendation(NamedTuple):
    """Which spec to take.

    Attributes:
        standings: how each spec stands.
        take: the number of the spec; None where none can be taken as it is, or no figure decides.
        by: the name of the figure that decides, `ONLY`, or "" where nothing is to be taken.
        decisions: by the name of a figure, what it says of the specs that can be taken.
        alike: whether all specs train the same on the same data.
        nearest: the number of the spec with the least against it.
    """

    standings: tuple[Standing, ...]
    take: int | None
    by: str
    decisions: Mapping[str, Decision]
    alike: bool
    nearest: int

    @property
    def ready(self) -> tuple[int, ...]:
        """The numbers of the specs that can be taken as they are."""
        return tuple(number for number, stands in enumerate(self.standings) if stands.ready)

    def to_dict(self) -> dict[str, Any]:
        """The `recommendation` of `hbspec compare --format json`."""
        return {
            "take": None if self.take is None else letter(self.take),
            "by": self.by or None,
            "train_the_same": self.alike,
            "nearest": letter(self.nearest),
            "specs": [
                {"letter": letter(number), "against": list(stands.against), "open": list(stands.open)}
                for number, stands in enumerate(self.standings)
            ],
        }


def recommend(found: Sequence[Estimates], reports: Sequence[Report]) -> Recommendation:
    """Which of several specs to take: of those that nothing speaks against, the cheapest, or else the fastest.

    Args:
        found: the estimates of each spec.
        reports: the findings of each.
    """
    standings = tuple(map(standing, found, reports))
    ready = tuple(number for number, stands in enumerate(standings) if stands.ready)
    take, by, decisions = _Pairs(found).decided(ready)
    alike = all(_train_alike(found[0], other) for other in found[1:])
    nearest = min(range(len(found)), key=lambda number: (len(standings[number].against), len(standings[number].open)))
    return Recommendation(standings, take, by, decisions, alike, nearest if take is None else take)


class _Pairs:
    """The figures of two specs of several beside one another, each pair calculated once."""

    def __init__(self, found: Sequence[Estimates]) -> None:
        self._found = found
        self._known: dict[tuple[int, int], Mapping[str, Figure]] = {}

    def decided(self, ready: tuple[int, ...]) -> tuple[int | None, str, Mapping[str, Decision]]:
        """The spec to take, the figure that decides, and what each figure that was asked says."""
        if len(ready) < 2:
            return (ready[0], ONLY, {}) if ready else (None, "", {})
        decisions: dict[str, Decision] = {}
        for first, second in (OF_JOB, OF_ENDPOINT):
            cheapest = self._decision(ready, first)
            if cheapest is None:
                continue
            decisions[first] = cheapest
            fastest = self._decision(ready if cheapest.certain else cheapest.level, second)
            if fastest is not None:
                decisions[second] = fastest
            if cheapest.certain:
                return cheapest.spec, first, decisions
            if fastest is not None and fastest.certain:
                return fastest.spec, second, decisions
            if not (cheapest.same and fastest is not None and fastest.same):
                break
        return None, "", decisions

    def _decision(self, among: tuple[int, ...], name: str) -> Decision | None:
        """What a figure says of some specs; None where it is not known of each, or not in one currency."""
        first = [self._beside(among[0], number).get(name) for number in among]
        values = [figure.values[1] if figure and figure.differences[1] else None for figure in first]
        if any(value is None for value in values):
            return None
        _, least = min((value.expected, number) for value, number in zip(values, among, strict=True) if value)
        return Decision(least, {number: self._beside(least, number)[name] for number in among if number != least})

    def _beside(self, one: int, other: int) -> Mapping[str, Figure]:
        if (one, other) not in self._known:
            found = figures((self._found[one], self._found[other]))
            self._known[one, other] = {figure.name: figure for figure in found}
        return self._known[one, other]


def _difference(figure: Figure) -> Difference:
    """The other's figure minus the first one's; both are known."""
    found = figure.differences[1]
    assert found is not None  # noqa: S101 - `_decision` leaves out what cannot be compared
    return found


def _train_alike(one: Estimates, other: Estimates) -> bool:
    same_data = one.plan.model == other.plan.model and data_text(one) == data_text(other)
    return same_data and not trained_otherwise(one.plan, other.plan)
