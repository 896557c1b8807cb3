"""The score as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from measured.row import METRICS
from measured.score import FEWEST_SOURCES, Judged, sources

AIMS = {
    "peak_allocated": "aim: median 2 % or less, p90 8 % or less",
    "peak_reserved": "aim: 90 % or more inside, ±20 % or less",
    "process": "aim: 90 % or more inside, ±20 % or less",
}
LONGEST_NAME = 44


def lines(judged: Sequence[Judged], figures: dict[str, Any]) -> Iterator[str]:
    """The whole report."""
    yield f"{figures['rows']} rows, {figures['expressed']} expressed, {figures['rows'] - figures['expressed']} not"
    yield ""
    yield "Constants for each source are fitted without it; every source weighs the same."
    for metric in METRICS:
        found = sources(judged, metric)
        said = _metric(metric, figures["metrics"][metric])
        if found < FEWEST_SOURCES:
            said += f"   not established: {found} of {FEWEST_SOURCES} sources"
        yield f"{metric:<16}{said}   ({AIMS[metric]})"
    yield from _verdicts(figures["metrics"])
    for group, members in figures["by"].items():
        yield from _group(group, members)
    yield from _reasons(judged)


def errors(judged: Sequence[Judged]) -> Iterator[str]:
    """One line a value that was measured: measured, estimated, interval, error."""
    yield f"{'row':<22}{'metric':<16}{'measured':>10}{'estimated':>10}{'low':>10}{'high':>10}{'error':>9}  moment"
    for entry in judged:
        for metric in METRICS:
            pair = entry.pair(metric)
            if pair is None or entry.device is None:
                continue
            value, estimated = pair
            numbers = "".join(f"{size / 1e9:>10.3f}" for size in (value, estimated.expected, *_ends(estimated)))
            error = estimated.expected / value - 1
            outside = "" if estimated.low <= value <= estimated.high else "  outside"
            yield f"{entry.row['id']:<22}{metric:<16}{numbers}{error:>+9.1%}  {entry.device.moment}{outside}"
        if entry.row.out_of_memory and entry.case is not None:
            yield f"{entry.row['id']:<22}ran out of memory, called {entry.verdict}"
        elif entry.verdict == "does_not_fit":
            yield f"{entry.row['id']:<22}ran, called {entry.verdict}"


def _ends(estimated: Any) -> tuple[float, float]:
    return estimated.low, estimated.high


def _metric(metric: str, found: dict[str, Any]) -> str:
    if not found["n"]:
        return f"{0:>5} values"
    said = f"{found['n']:>5} values   median error {found['median_abs_error']:>6.1%}"
    if metric == "peak_allocated":
        return f"{said}   p90 {found['p90_abs_error']:>6.1%}   worst {found['worst']:>6.1%}"
    return f"{said}   inside {found['inside']:>4.0%}   width ±{found['median_width']:.0%}"


def _verdicts(metrics: dict[str, Any]) -> Iterator[str]:
    ended, ran = metrics["out_of_memory"], metrics["ran"]
    called = ", ".join(f"{ended[f'called_{name}']} {name}" for name in ("fits", "tight", "does_not_fit"))
    yield f"{'out of memory':<16}{ended['n']:>5} rows     called {called}   (aim: 0 fits)"
    yield f"{'ran':<16}{ran['n']:>5} rows     called {ran['called_does_not_fit']} does_not_fit   (aim: 0)"


def _group(group: str, members: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield (
        f"{f'by {group}':<{LONGEST_NAME}}{'rows':>6}{'said':>6}  {'allocated: n, median, p90, worst':<36}"
        f"{'reserved: n, inside, width':<30}{'process: n, inside, width':<30}"
    )
    for name, found in members.items():
        metrics, allocated = found["metrics"], found["metrics"]["peak_allocated"]
        three = "".join(
            f"{allocated[key]:>9.1%}" if allocated[key] is not None else f"{'':>9}"
            for key in ("median_abs_error", "p90_abs_error", "worst")
        )
        rest = "".join(
            f"{metrics[metric]['n']:>5}"
            + (
                f"{metrics[metric]['inside']:>8.0%}   ±{metrics[metric]['median_width']:<11.0%}"
                if metrics[metric]["n"]
                else f"{'':>23}"
            )
            for metric in ("peak_reserved", "process")
        )
        short = name if len(name) < LONGEST_NAME else f"{name[: LONGEST_NAME - 2]}…"
        counts = f"{found['rows']:>6}{found['expressed']:>6}  {allocated['n']:>5}"
        yield f"{short:<{LONGEST_NAME}}{counts}{three}  {rest}".rstrip()


def _reasons(judged: Sequence[Judged]) -> Iterator[str]:
    yield ""
    yield "not expressed, and why"
    for reason, count in Counter(entry.reason for entry in judged if entry.reason).most_common():
        yield f"{count:>6}  {reason}"
    stand_ins = Counter(what for entry in judged if entry.case for what in entry.case.stand_ins)
    if stand_ins:
        yield ""
        yield "expressed by something near it"
        yield from (f"{count:>6}  {what}" for what, count in stand_ins.most_common())
    disagreeing = [said for entry in judged if entry.case and (said := entry.case.disagrees)]
    if disagreeing:
        yield ""
        yield "counted otherwise than the source prints"
        yield from (f"        {said}" for said in disagreeing)
