"""The widest tenth of the intervals: of which sources, methods and placements they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from measured.judged import Judged
from measured.quantile import quantile
from measured.weighing import width

TENTH = 0.9
"""Share of the intervals that are narrower."""


def widest(judged: Sequence[Judged], metric: str) -> dict[str, Any]:
    """The tenth of a metric's intervals with the greatest widths, one entry a source, method and placement.

    Intervals as wide as the narrowest of them belong to it, so that it may be more than a tenth.
    """
    widths = [(width(pair[1]), entry.row) for entry in judged if (pair := entry.pair(metric))]
    least = quantile([size for size, _ in widths], [1.0] * len(widths), TENTH)
    groups: dict[tuple[str, str, str], list[float]] = {}
    for size, row in widths:
        if least is not None and size >= least:
            groups.setdefault((row.source, row["method"], row["parallelism"]), []).append(size)
    return {
        "from_width": least,
        "of": len(widths),
        "groups": [
            {"source": source, "method": method, "placement": placement, "n": len(sizes), "width": max(sizes)}
            for (source, method, placement), sizes in sorted(groups.items(), key=lambda item: -len(item[1]))
        ],
    }
