"""How far estimates lie from measurements: errors, intervals and verdicts over a set of judged rows.

Every source weighs the same however many rows it published: a row weighs one part in the rows of its source. A metric
of another quantity is one more entry in `metrics`, computed from `Judged`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hbspec.diagnostics import NotKnownError
from hbspec.estimators.constants import MemoryConstants
from hbspec.estimators.memory import DeviceMemory, memory
from hbspec.units import Interval
from measured.mapping import Case, express
from measured.reason import NotExpressibleError
from measured.row import Row

FEWEST_SOURCES = 3
"""Sources that a metric needs before its figure says anything about others."""

VERDICTS = ("fits", "tight", "does_not_fit")


@dataclass(frozen=True, slots=True)
class Judged:
    """A row beside its estimate; without one, `reason` says why.

    Attributes:
        verdict: certain only where all plans that the row allows agree.
    """

    row: Row
    case: Case | None
    device: DeviceMemory | None
    verdict: str
    reason: str | None

    def estimate(self, metric: str) -> Interval | None:
        """The interval of one of `METRICS`."""
        if self.device is None:
            return None
        return {
            "peak_allocated": self.device.peak_allocated,
            "peak_reserved": self.device.peak_reserved,
            "process": self.device.process,
        }[metric]

    def pair(self, metric: str) -> tuple[float, Interval] | None:
        """What was measured and what is estimated; None where one of them is missing."""
        measured, estimated = self.row.measured(metric), self.estimate(metric)
        return (measured, estimated) if measured is not None and estimated is not None else None


def judge(rows: Iterable[Row], constants: Callable[[str], MemoryConstants]) -> tuple[Judged, ...]:
    """Every row beside its estimate.

    Args:
        rows: the measurements.
        constants: for each source those that were fitted without it.
    """
    return tuple(_judge(row, constants(row.source)) for row in rows)


def _judge(row: Row, constants: MemoryConstants) -> Judged:
    try:
        case = express(row)
        found = memory(case.plan, constants)
        verdicts = {found.verdict, *(memory(other, constants).verdict for other in case.others)}
    except (NotExpressibleError, NotKnownError) as reason:
        return Judged(row, None, None, "unknown", str(reason))
    return Judged(row, case, found.fullest, verdicts.pop() if len(verdicts) == 1 else "tight", None)


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
        "expressed": sum(entry.case is not None for entry in judged),
        "metrics": {
            "peak_allocated": _errors(judged),
            "peak_reserved": _intervals(judged, "peak_reserved"),
            "process": _intervals(judged, "process"),
            "out_of_memory": _verdicts([entry for entry in judged if entry.row.out_of_memory]),
            "ran": _ran([entry for entry in judged if not entry.row.out_of_memory]),
        },
    }


def sources(judged: Sequence[Judged], metric: str) -> int:
    """How many sources a metric has values of that could be compared."""
    return len({entry.row.source for entry in judged if entry.pair(metric)})


def _errors(judged: Sequence[Judged]) -> dict[str, Any]:
    errors, weights = _absolute_errors(judged, "peak_allocated")
    return {
        "n": len(errors),
        "median_abs_error": quantile(errors, weights, 0.5),
        "p90_abs_error": quantile(errors, weights, 0.9),
        "worst": max(errors, default=None),
    }


def _intervals(judged: Sequence[Judged], metric: str) -> dict[str, Any]:
    errors, weights = _absolute_errors(judged, metric)
    pairs = [pair for entry in judged if (pair := entry.pair(metric))]
    inside = [weight for (value, est), weight in zip(pairs, weights, strict=True) if est.low <= value <= est.high]
    return {
        "n": len(pairs),
        "median_abs_error": quantile(errors, weights, 0.5),
        "inside": sum(inside) / sum(weights) if weights else None,
        "median_width": quantile([width(estimated) for _, estimated in pairs], weights, 0.5),
    }


def width(estimated: Interval) -> float:
    """Half of an interval as a fraction of what is expected."""
    return (estimated.high - estimated.low) / (2 * estimated.expected)


def _absolute_errors(judged: Sequence[Judged], metric: str) -> tuple[list[float], list[float]]:
    """Absolute errors as fractions of what was measured, and the rows' weights."""
    pairs = [(entry.row.source, *pair) for entry in judged if (pair := entry.pair(metric))]
    sizes = Counter(source for source, _, _ in pairs)
    return (
        [abs(estimated.expected / value - 1) for _, value, estimated in pairs],
        [1 / sizes[source] for source, _, _ in pairs],
    )


def _verdicts(judged: Sequence[Judged]) -> dict[str, int]:
    known = [entry.verdict for entry in judged if entry.verdict in VERDICTS]
    return {"n": len(known), **{f"called_{verdict}": known.count(verdict) for verdict in VERDICTS}}


def _ran(judged: Sequence[Judged]) -> dict[str, int]:
    known = [entry.verdict for entry in judged if entry.verdict in VERDICTS]
    return {"n": len(known), "called_does_not_fit": known.count("does_not_fit")}


def quantile(values: Sequence[float], weights: Sequence[float], share: float) -> float | None:
    """The smallest value below or at which at least this share of the weight lies; None of no values."""
    if not values:
        return None
    wanted, below = share * sum(weights), 0.0
    ordered = sorted(zip(values, weights, strict=True))
    for value, weight in ordered:
        below += weight
        if below >= wanted * (1 - 1e-12):
            return value
    return ordered[-1][0]
