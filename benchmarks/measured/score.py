"""How far estimates lie from measurements: errors, intervals and verdicts over a set of judged rows.

Every source weighs the same however many rows it published: a row weighs one part in the rows of its source. Rows that
train and rows that serve, told apart by the column `kind`, are one table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from hbspec.diagnostics import NotKnownError
from hbspec.estimators.constants import StepConstants
from hbspec.estimators.training.memory import DeviceMemory, memory
from hbspec.units import Interval
from measured import timing
from measured.fitted import Constants
from measured.mapping import Case, express
from measured.quantile import quantile
from measured.reason import NotExpressibleError
from measured.row import MEMORY, TIME, Row
from measured.serving import METRICS as SERVING
from measured.serving import judge_serving

FEWEST_SOURCES = 3
"""Sources that a metric needs before its figure says anything about others."""

VERDICTS = ("fits", "tight", "does_not_fit")


@dataclass(frozen=True, slots=True)
class Judged:
    """A row beside its estimates; without any, `reason` says why.

    Attributes:
        case: the jobs that a training row allows; None for other rows, and without an estimate.
        measured: by metric.
        estimates: by metric, of some of these.
        moment: at which memory is fullest; "" where it is not scored.
        verdict: certain only where all plans that the row allows agree.
        gaps: why a metric that was measured has no estimate, though the row is expressed.
        stand_ins: what was taken for something that is not known.
    """

    row: Row
    case: Case | None
    measured: Mapping[str, float]
    estimates: Mapping[str, Interval]
    moment: str
    verdict: str
    reason: str | None
    gaps: Mapping[str, str]
    stand_ins: tuple[str, ...]

    def pair(self, metric: str) -> tuple[float, Interval] | None:
        """What was measured and what is estimated; None where one of them is missing."""
        measured, estimated = self.measured.get(metric), self.estimates.get(metric)
        return (measured, estimated) if measured is not None and estimated is not None else None


def judge(rows: Iterable[Row], constants: Callable[[str], Constants]) -> tuple[Judged, ...]:
    """Every row beside its estimates.

    Args:
        rows: the measurements.
        constants: for each source those that were fitted without it.
    """
    return tuple((_served if row.is_serving else _trained)(row, constants(row.source)) for row in rows)


def _trained(row: Row, constants: Constants) -> Judged:
    measured = {metric: value for metric in (*MEMORY, *TIME) if (value := row.measured(metric)) is not None}
    try:
        case = express(row)
        found = _memory(case, constants) if case.same_memory else Found({}, "", "unknown")
    except (NotExpressibleError, NotKnownError) as reason:
        return Judged(row, None, measured, {}, "", "unknown", str(reason), {}, ())
    estimates = dict(found.estimates)
    gaps = {metric: TIME_ONLY for metric in MEMORY if metric in measured and metric not in estimates}
    for metric, estimate in TIMED.items():
        if metric not in measured:
            continue
        try:
            estimates[metric] = estimate(case, constants.step)
        except (NotExpressibleError, NotKnownError) as reason:
            gaps[metric] = str(reason)
    return Judged(row, case, measured, estimates, found.moment, found.verdict, None, gaps, case.stand_ins)


def _served(row: Row, constants: Constants) -> Judged:
    found = judge_serving(row, constants.serving)
    measured = {entry.metric: entry.measured for entry in found}
    estimates = {entry.metric: entry.estimate for entry in found if entry.estimate is not None}
    gaps = {entry.metric: entry.reason for entry in found if entry.reason is not None}
    reason = None if estimates else next(iter(gaps.values()), "nothing of it is scored")
    stand_ins = tuple(dict.fromkeys(what for entry in found for what in entry.stand_ins)) if estimates else ()
    return Judged(row, None, measured, estimates, "", "unknown", reason, gaps if estimates else {}, stand_ins)


TIME_ONLY = "a model that stands for another: time only"


class Found(NamedTuple):
    """Memory of a row's job."""

    estimates: Mapping[str, Interval]
    moment: str
    verdict: str


def _memory(case: Case, constants: Constants) -> Found:
    whole = memory(case.plan, constants.memory)
    verdicts = {whole.verdict, *(memory(other, constants.memory).verdict for other in case.others)}
    device = whole.fullest
    estimates = {
        "peak_allocated": device.peak_allocated,
        "peak_reserved": _readable(device.peak_reserved, device),
        "process": _readable(device.process, device),
    }
    return Found(estimates, device.moment, verdicts.pop() if len(verdicts) == 1 else "tight")


def _readable(needed: Interval, device: DeviceMemory) -> Interval:
    """What can be read on the row's own GPU: the allocator's reserve ends at its memory, whatever a job would take.

    The context and the communicators lie outside of what is reserved, and inside of the process.
    """
    if device.usable is None:
        return needed
    outside, tensors = device.process.expected - device.peak_reserved.expected, device.peak_allocated.expected
    if needed is device.process:
        most = max(device.usable, tensors + outside)
    else:
        most = max(device.usable - (device.process.low - device.peak_reserved.low), tensors)
    return replace(needed, expected=min(needed.expected, most))


TIMED: Mapping[str, Callable[[Case, StepConstants], Interval]] = {
    "tokens_per_second_per_gpu": timing.rate,
    "total_time": timing.total,
    "total_cost": timing.spent,
}


def score(judged: Sequence[Judged]) -> dict[str, Any]:
    """What `--json` prints: figures over all rows, and `by` method, placement and source."""
    return {**_figures(judged), "by": {name: _grouped(judged, key) for name, key in GROUPS.items()}}


GROUPS: Mapping[str, Callable[[Row], str]] = {
    "method": lambda row: row["method"] or "not named",
    "placement": lambda row: row["parallelism"] or "not named",
    "source": lambda row: row.source,
}


def _grouped(judged: Sequence[Judged], key: Callable[[Row], str]) -> dict[str, Any]:
    groups: dict[str, list[Judged]] = {}
    for entry in judged:
        groups.setdefault(key(entry.row), []).append(entry)
    return {name: _figures(members) for name, members in sorted(groups.items())}


def _figures(judged: Sequence[Judged]) -> dict[str, Any]:
    return {
        "rows": len(judged),
        "expressed": sum(entry.reason is None for entry in judged),
        "metrics": {
            "peak_allocated": _errors(judged),
            "peak_reserved": _intervals(judged, "peak_reserved"),
            "process": _intervals(judged, "process"),
            "out_of_memory": _verdicts([entry for entry in judged if entry.row.out_of_memory]),
            "ran": _ran([entry for entry in judged if not entry.row.out_of_memory]),
            **{metric: _ratios(judged, metric) for metric in (*TIME, *SERVING)},
        },
    }


def sources(judged: Sequence[Judged], metric: str) -> int:
    """How many sources a metric has values of that could be compared."""
    return len({entry.row.source for entry in judged if entry.pair(metric)})


class Compared(NamedTuple):
    """Every value of a metric that has an estimate, with the weight of its row."""

    pairs: Sequence[tuple[float, Interval]]
    weights: Sequence[float]

    @classmethod
    def of(cls, judged: Sequence[Judged], metric: str) -> Compared:
        """All values of a metric; every source weighs the same."""
        found = [(entry.row.source, pair) for entry in judged if (pair := entry.pair(metric))]
        sizes = Counter(source for source, _ in found)
        return cls([pair for _, pair in found], [1 / sizes[source] for source, _ in found])

    @property
    def errors(self) -> list[float]:
        """Absolute errors as fractions of what was measured."""
        return [abs(estimated.expected / value - 1) for value, estimated in self.pairs]

    def error(self, share: float) -> float | None:
        """The error that a share of the weight does not exceed; None without values."""
        return quantile(self.errors, self.weights, share)

    @property
    def inside(self) -> float | None:
        """The share of the weight whose interval holds what was measured; None without values."""
        holds = [found.low <= value <= found.high for value, found in self.pairs]
        weight = sum(weight for weight, inside in zip(self.weights, holds, strict=True) if inside)
        return weight / sum(self.weights) if self.weights else None

    def median(self, size: Callable[[Interval], float]) -> float | None:
        """Of a number of the intervals; None without values."""
        return quantile([size(estimated) for _, estimated in self.pairs], self.weights, 0.5)


def _errors(judged: Sequence[Judged]) -> dict[str, Any]:
    found = Compared.of(judged, "peak_allocated")
    return {
        "n": len(found.pairs),
        "median_abs_error": found.error(0.5),
        "p90_abs_error": found.error(0.9),
        "worst": max(found.errors, default=None),
    }


def _intervals(judged: Sequence[Judged], metric: str) -> dict[str, Any]:
    found = Compared.of(judged, metric)
    return {
        "n": len(found.pairs),
        "median_abs_error": found.error(0.5),
        "inside": found.inside,
        "median_width": found.median(width),
    }


def _ratios(judged: Sequence[Judged], metric: str) -> dict[str, Any]:
    found = Compared.of(judged, metric)
    return {
        "n": len(found.pairs),
        "median_abs_error": found.error(0.5),
        "p90_abs_error": found.error(0.9),
        "inside": found.inside,
        "median_high_over_low": found.median(lambda interval: interval.high / interval.low),
    }


def width(estimated: Interval) -> float:
    """Half of an interval as a fraction of what is expected."""
    return (estimated.high - estimated.low) / (2 * estimated.expected)


def _verdicts(judged: Sequence[Judged]) -> dict[str, int]:
    known = [entry.verdict for entry in judged if entry.verdict in VERDICTS]
    return {"n": len(known), **{f"called_{verdict}": known.count(verdict) for verdict in VERDICTS}}


def _ran(judged: Sequence[Judged]) -> dict[str, int]:
    known = [entry.verdict for entry in judged if entry.verdict in VERDICTS]
    return {"n": len(known), "called_does_not_fit": known.count("does_not_fit")}
