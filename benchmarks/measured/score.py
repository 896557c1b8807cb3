"""How far estimates lie from measurements: errors, intervals and verdicts over a set of judged rows.

Each figure is printed in both weighings: where every source weighs the same however many rows it published, and where
every row does. Rows that train and rows that serve are one table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from measured.judged import Judged
from measured.row import MEMORY, TIME, Row
from measured.serving import METRICS as SERVING
from measured.slices import SLICES, SPEED_SLICES
from measured.weighing import Compared, ratio, width
from measured.widest import widest

FEWEST_SOURCES = 3
"""Sources that a metric needs before its figure says anything about others."""

LARGER = 10
"""Rows of a source that say how its rows are spread."""

VERDICTS = ("fits", "tight", "does_not_fit")

METRICS = (*MEMORY, *TIME, *SERVING)

GROUPS: Mapping[str, Callable[[Row], str]] = {
    "method": lambda row: row["method"] or "not named",
    "placement": lambda row: row["parallelism"] or "not named",
    "source": lambda row: row.source,
}


def score(judged: Sequence[Judged]) -> dict[str, Any]:
    """What `--json` prints: figures over all rows, over each slice, and `by` method, placement and source."""
    training = [entry for entry in judged if not entry.row.is_serving]
    return {
        **_figures(judged),
        "slices": _sliced(training, SLICES),
        "speed_slices": _sliced(training, SPEED_SLICES),
        "widest": {metric: widest(judged, metric) for metric in MEMORY},
        "by": {name: _grouped(judged, key) for name, key in GROUPS.items()},
    }


def _sliced(judged: Sequence[Judged], slices: Mapping[str, Callable[[Judged], bool]]) -> dict[str, Any]:
    return {name: _figures([entry for entry in judged if chosen(entry)]) for name, chosen in slices.items()}


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
            **{metric: _metric(judged, metric) for metric in METRICS},
            "out_of_memory": _verdicts([entry for entry in judged if entry.row.out_of_memory]),
            "ran": _verdicts([entry for entry in judged if not entry.row.out_of_memory]),
        },
    }


def sources(judged: Sequence[Judged], metric: str) -> int:
    """How many sources a metric has values of that could be compared."""
    return len({entry.row.source for entry in judged if entry.pair(metric)})


def _metric(judged: Sequence[Judged], metric: str) -> dict[str, Any]:
    """The figures by source, and `by_row`; of a process also over the sources that have enough rows."""
    found = Compared.of(judged, metric)
    figures = {"n": len(found.pairs), **_errors(found, metric), "worst": max(found.errors, default=None)}
    if metric == "process":
        larger = _larger(judged, metric)
        figures |= {
            "larger_sources": sources(larger, metric),
            "inside_larger_sources": Compared.of(larger, metric).inside,
        }
    return {**figures, "by_row": _errors(Compared.of(judged, metric, "by_row"), metric)}


def _errors(found: Compared, metric: str) -> dict[str, Any]:
    wide = {"median_width": found.median(width)} if metric in MEMORY else {"median_high_over_low": found.median(ratio)}
    return {"median_abs_error": found.error(0.5), "p90_abs_error": found.error(0.9), "inside": found.inside, **wide}


def _larger(judged: Sequence[Judged], metric: str) -> list[Judged]:
    """The rows of sources that have at least `LARGER` values."""
    sizes = Counter(entry.row.source for entry in judged if entry.pair(metric))
    return [entry for entry in judged if sizes[entry.row.source] >= LARGER]


def _verdicts(judged: Sequence[Judged]) -> dict[str, int]:
    """Counts of verdicts, and of what a check reports of them: an error, or a warning where the job is tight."""
    known = [entry for entry in judged if entry.verdict in VERDICTS]
    return {
        "n": len(known),
        **{f"called_{verdict}": sum(entry.verdict == verdict for entry in known) for verdict in VERDICTS},
        "errors": sum(entry.is_error for entry in known),
        "warnings": sum(entry.verdict == "tight" and not entry.is_error for entry in known),
    }
