"""What the product says of endpoints that ran, beside what they did, by metric, engine and generation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from hbspec.diagnostics import NotKnownError
from hbspec.units import Interval
from measured.quantile import quantile
from measured.reason import NotExpressibleError
from measured.served import DEPLOYED, KEPT_ASIDE, OLD, Point, Start

R = TypeVar("R", Start, Point)

FEWEST_SOURCES = 3
"""Sources that a figure needs before it says anything about others."""

CACHE, MEMORY, FIRST, STEP = "cache tokens", "serving memory", "first token", "decode"
PARTS = ("weights", "activations", "outside of PyTorch", "CUDA graphs")
"""Of what an engine holds beside its cache, as its log names them."""
METRICS = (CACHE, MEMORY, *PARTS, FIRST, STEP)
AIMS = {
    CACHE: "aim for V1: median 3 % or less, 90 % or more inside ±10 % or less",
    MEMORY: "beside the cache, of a GPU; aim: median 3 % or less",
    **dict.fromkeys(PARTS, "a part of serving memory; no aim of its own"),
    FIRST: "aim: median 25 % or less, 80 % or more inside",
    STEP: "aim: median 15 % or less, 90 % or more inside",
}


class Compared(NamedTuple):
    """One measured value beside its estimate; without one, `reason` says why."""

    row: Start | Point
    metric: str
    measured: float
    estimate: Interval | None
    reason: str | None

    @property
    def error(self) -> float:
        """Estimated over measured, less 1."""
        return (self.estimate.expected / self.measured - 1) if self.estimate else 0.0

    @property
    def inside(self) -> bool:
        """Whether the interval holds what was measured."""
        return self.estimate is not None and self.estimate.low <= self.measured <= self.estimate.high


def compared(row: R, metric: str, measured: float, estimate: Callable[[R], Interval]) -> Compared:
    """A value beside its estimate, or beside the reason why it has none."""
    try:
        return Compared(row, metric, measured, estimate(row), None)
    except (NotKnownError, NotExpressibleError) as reason:
        return Compared(row, metric, measured, None, str(reason))


class Figures(NamedTuple):
    """Of the values of one metric, sources weighing the same."""

    values: int
    sources: int
    median: float | None
    worst: float | None
    inside: float | None
    width: float | None
    optimistic: int

    @classmethod
    def of(cls, found: Sequence[Compared]) -> Figures:
        """The figures of values that have estimates."""
        sizes = Counter(one.row.source for one in found)
        weights = [1 / sizes[one.row.source] for one in found]
        inside = sum(weight for one, weight in zip(found, weights, strict=True) if one.inside)
        widths = [_width(one.estimate) for one in found if one.estimate]
        return cls(
            values=len(found),
            sources=len(sizes),
            median=quantile([abs(one.error) for one in found], weights, 0.5),
            worst=max((abs(one.error) for one in found), default=None),
            inside=inside / sum(weights) if weights else None,
            width=quantile(widths, weights, 0.5),
            optimistic=sum(_too_good(one) for one in found),
        )


def _width(estimate: Interval) -> float:
    return (estimate.high - estimate.low) / (2 * estimate.expected)


def _too_good(one: Compared) -> bool:
    """Whether what was measured is worse than the interval's end: fewer tokens of cache, more memory, a longer time."""
    if one.estimate is None:
        return False
    return one.measured < one.estimate.low if one.metric == CACHE else one.measured > one.estimate.high


def lines(found: Sequence[Compared], *, errors: bool) -> Iterator[str]:
    """The score as text, with every value where asked for."""
    for metric in METRICS:
        of = [one for one in found if one.metric == metric]
        yield f"{metric}   ({AIMS[metric]})"
        for group in sorted({one.row.group for one in of}):
            members = [one for one in of if one.row.group == group]
            scored = [one for one in members if one.estimate]
            if scored:
                yield _said(group, Figures.of(scored))
            yield from _every(members) if errors else ()
            for reason, count in Counter(one.reason for one in members if one.reason).items():
                yield f"    {count} not scored: {reason}"
        yield from _parts([one for one in of if one.estimate])


def _parts(scored: Sequence[Compared]) -> Iterator[str]:
    """The figures of parts of these values that an aim holds for by itself, engines before V1 apart."""
    newer = [one for one in scored if one.row.engine in DEPLOYED and not one.row.group.endswith(OLD)]
    joined = [one for one in newer if one.row.tensor_parallel > 1]
    aside = [one for one in newer if one.row.source in KEPT_ASIDE]
    for name, members in (("of these, GPUs that share a model", joined), ("of these, kept aside from fits", aside)):
        if members:
            yield _said(name, Figures.of(members))


def _said(group: str, figures: Figures) -> str:
    said = f"  {group:<8} {figures.values:>3} values of {figures.sources} sources   "
    if figures.sources < FEWEST_SOURCES:
        said += "not established   "
    said += f"median error {figures.median:>5.1%}   worst {figures.worst:>5.1%}   "
    if not figures.width:
        return f"{said}exact, without an interval"
    return f"{said}inside {figures.inside:>4.0%}   width ±{figures.width:.0%}   worse than said {figures.optimistic}"


def _every(members: Sequence[Compared]) -> Iterator[str]:
    for one in members:
        if one.estimate is None:
            continue
        low, expected, high = (
            f"{value:,.5g}" for value in (one.estimate.low, one.estimate.expected, one.estimate.high)
        )
        mark = " " if one.inside or one.estimate.is_exact else "*"
        yield f"   {mark} {one.row.id:<24} {one.measured:>12,.5g}  {expected:>12} [{low}..{high}]  {one.error:+.1%}"
