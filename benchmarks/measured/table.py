"""The score as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from measured.row import MEMORY, TIME
from measured.score import FEWEST_SOURCES, Judged, sources
from measured.serving import METRICS as SERVING

AIMS = {
    "peak_allocated": "aim: median 2 % or less, p90 8 % or less",
    "peak_reserved": "aim: 90 % or more inside, ±20 % or less",
    "process": "aim: 90 % or more inside, ±20 % or less",
    "tokens_per_second_per_gpu": "aim: median 15 % or less, p90 40 % or less, 90 % inside, high / low 2.2 or less",
    "total_time": "no aim of its own",
    "total_cost": "no aim of its own",
    "decode_tokens_per_second": "aim: median 20 % or less",
    "serving_memory": "aim: median 5 % or less",
}
SHORT = {"tokens_per_second_per_gpu": "tokens/s a GPU", "decode_tokens_per_second": "decode tokens/s"}
BYTES = (*MEMORY, "serving_memory")


def lines(judged: Sequence[Judged], figures: dict[str, Any]) -> Iterator[str]:
    """The whole report."""
    yield f"{figures['rows']} rows, {figures['expressed']} expressed, {figures['rows'] - figures['expressed']} not"
    yield ""
    yield "Constants for each source are fitted without it; every source weighs the same."
    for metric in (*MEMORY, *TIME, *SERVING):
        found = sources(judged, metric)
        said = _metric(metric, figures["metrics"][metric])
        if found < FEWEST_SOURCES:
            said += f"   not established: {found} of {FEWEST_SOURCES} sources"
        yield f"{SHORT.get(metric, metric):<16}{said}   ({AIMS[metric]})"
    yield from _verdicts(figures["metrics"])
    for group, members in figures["by"].items():
        yield from _group(group, members)
    yield from _reasons(judged)


def errors(judged: Sequence[Judged]) -> Iterator[str]:
    """One line a value that was measured: measured, estimated, interval, error."""
    yield f"{'row':<24}{'metric':<16}{'measured':>10}{'estimated':>10}{'low':>10}{'high':>10}{'error':>9}  moment"
    for entry in judged:
        for metric in (*MEMORY, *TIME, *SERVING):
            pair = entry.pair(metric)
            if pair is None:
                continue
            value, estimated = pair
            unit = 1e9 if metric in BYTES else 1
            numbers = "".join(f"{size / unit:>10.5g}" for size in (value, estimated.expected, *_ends(estimated)))
            error = estimated.expected / value - 1
            where = entry.moment if metric in MEMORY else ""
            outside = "" if estimated.low <= value <= estimated.high else "  outside"
            yield f"{entry.row['id']:<24}{SHORT.get(metric, metric):<16}{numbers}{error:>+9.1%}  {where}{outside}"
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
    if "median_high_over_low" in found:
        inside = f"inside {found['inside']:>4.0%}   high / low {found['median_high_over_low']:.2f}"
        return f"{said}   p90 {found['p90_abs_error']:>6.1%}   {inside}"
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
    yield f"by {group}"
    for name, found in members.items():
        yield f"  {name}: {found['rows']} rows, {found['expressed']} expressed"
        for metric in (*MEMORY, *TIME, *SERVING):
            if found["metrics"][metric]["n"]:
                yield f"    {SHORT.get(metric, metric):<16}{_metric(metric, found['metrics'][metric])}"


def _reasons(judged: Sequence[Judged]) -> Iterator[str]:
    yield ""
    yield "not expressed, and why"
    for reason, count in Counter(entry.reason for entry in judged if entry.reason).most_common():
        yield f"{count:>6}  {reason}"
    gaps = Counter((SHORT.get(metric, metric), why) for entry in judged for metric, why in entry.gaps.items())
    if gaps:
        yield ""
        yield "measured, and not estimated"
        yield from (f"{count:>6}  {metric}: {why}" for (metric, why), count in gaps.most_common())
    stand_ins = Counter(what for entry in judged for what in entry.stand_ins)
    if stand_ins:
        yield ""
        yield "expressed by something near it"
        yield from (f"{count:>6}  {what}" for what, count in stand_ins.most_common())
    disagreeing = [said for entry in judged if entry.case and (said := entry.case.disagrees)]
    if disagreeing:
        yield ""
        yield "counted otherwise than the source prints"
        yield from (f"        {said}" for said in disagreeing)
