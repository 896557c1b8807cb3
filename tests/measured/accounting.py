"""What a score of rows holds, and that it leaves none of them out."""

from __future__ import annotations

from measured.slices import SLICES, SPEED_SLICES

ERRORS = {"median_abs_error", "p90_abs_error", "inside"}
BYTES = ERRORS | {"n", "median_width", "worst", "by_row"}
RATIOS = ERRORS | {"n", "median_high_over_low", "worst", "by_row"}
CALLED = {"n", "called_fits", "called_tight", "called_does_not_fit", "errors", "warnings"}
METRICS = {
    "peak_allocated": BYTES,
    "peak_reserved": BYTES,
    "process": BYTES | {"larger_sources", "inside_larger_sources"},
    "unknown_metric": BYTES,
    "out_of_memory": CALLED,
    "ran": CALLED,
    "tokens_per_second_per_gpu": RATIOS,
    "total_time": RATIOS,
    "total_cost": RATIOS,
    "decode_tokens_per_second": RATIOS,
    "serving_memory": RATIOS,
}


def shape(figures):
    """The metrics are those that are known, each with its figures."""
    assert {name: set(found) for name, found in figures["metrics"].items()} == METRICS
    assert {"rows", "expressed", "metrics"} == figures.keys() - {"by", "slices", "speed_slices", "widest"}


def accounts_for(entries, figures):
    """Every row is expressed or has a reason, and groups of rows have as many as there are."""
    assert all((entry.case is None) == bool(entry.reason) for entry in entries if not entry.row.is_serving)
    assert all(entry.measured.keys() <= entry.estimates.keys() | entry.gaps.keys() or entry.reason for entry in entries)
    shape(figures)
    assert figures["rows"] == len(entries)
    assert figures["expressed"] == sum(entry.reason is None for entry in entries) > 0
    assert figures["slices"].keys() == SLICES.keys()
    assert figures["speed_slices"].keys() == SPEED_SLICES.keys()
    for groups in (*figures["by"].values(), figures["slices"], figures["speed_slices"]):
        for group in groups.values():
            shape(group)
    for groups in figures["by"].values():
        for count in ("rows", "expressed"):
            assert sum(group[count] for group in groups.values()) == figures[count]
        for metric in METRICS:
            assert sum(group["metrics"][metric]["n"] for group in groups.values()) == figures["metrics"][metric]["n"]
