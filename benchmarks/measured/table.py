"""The score as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from measured.judged import Judged
from measured.row import MEMORY, TIME
from measured.score import FEWEST_SOURCES, LARGER, METRICS, sources

AIMS = {
    "peak_allocated": "aim where kernels, dtype, loss and checkpointing are stated: median 2 %, p90 8 % or less",
    "peak_reserved": "aim both ways: 90 % or more inside, ±15 % or less, median 6 % or less",
    "process": "aim in sources of 10 rows or more: 90 % or more inside",
    "unknown_metric": "the source does not say which: from the least allocated to the most of the process; no aim",
    "tokens_per_second_per_gpu": "aim: median 10 % or less, p90 35 % or less, 90 % inside, high / low 2.2 or less",
    "total_time": "aim: median 20 % or less",
    "total_cost": "no aim of its own",
    "decode_tokens_per_second": "aim: median 20 % or less",
    "serving_memory": "aim: median 5 % or less",
}
SHORT = {
    "tokens_per_second_per_gpu": "tokens/s a GPU",
    "decode_tokens_per_second": "decode tokens/s",
    "unknown_metric": "metric unknown",
}
BYTES = (*MEMORY, "serving_memory")


def lines(judged: Sequence[Judged], figures: dict[str, Any]) -> Iterator[str]:
    """The whole report."""
    yield f"{figures['rows']} rows, {figures['expressed']} expressed, {figures['rows'] - figures['expressed']} not"
    yield ""
    yield "Constants for each source are fitted without it; every source weighs the same, by row every row does."
    for metric in METRICS:
        yield from _whole_metric(judged, metric, figures["metrics"][metric])
    yield from _verdicts(figures["metrics"], ("   (aim: 0 fits)", "   (aim: 0 does_not_fit)"))
    yield ""
    yield "slices"
    yield from _members(figures["slices"], MEMORY, both=True, verdicts=True)
    yield ""
    yield "slices of speed"
    yield from _members(figures["speed_slices"], TIME, both=True)
    yield from _widest(figures["widest"])
    for group, members in figures["by"].items():
        yield ""
        yield f"by {group}"
        yield from _members(members, METRICS, both=False)
    yield from _reasons(judged)


def errors(judged: Sequence[Judged]) -> Iterator[str]:
    """One line a value that was measured: measured, estimated, interval, error."""
    yield f"{'row':<24}{'metric':<16}{'measured':>10}{'estimated':>10}{'low':>10}{'high':>10}{'error':>9}  moment"
    for entry in judged:
        for metric in METRICS:
            pair = entry.pair(metric)
            if pair is None:
                continue
            value, estimated = pair
            unit = 1e9 if metric in BYTES else 1
            ends = (value, estimated.expected, estimated.low, estimated.high)
            numbers = "".join(f"{size / unit:>10.5g}" for size in ends)
            error = estimated.expected / value - 1
            where = entry.moment if metric in MEMORY else ""
            outside = "" if estimated.low <= value <= estimated.high else "  outside"
            yield f"{entry.row['id']:<24}{_short(metric):<16}{numbers}{error:>+9.1%}  {where}{outside}"
        if entry.row.out_of_memory and entry.case is not None:
            yield f"{entry.row['id']:<22}ran out of memory, called {entry.verdict}"
        elif entry.verdict == "does_not_fit":
            yield f"{entry.row['id']:<22}ran, called {entry.verdict}"


def _short(metric: str) -> str:
    return SHORT.get(metric, metric)


def _whole_metric(judged: Sequence[Judged], metric: str, found: dict[str, Any]) -> Iterator[str]:
    count, said = sources(judged, metric), f"{found['n']:>5} values"
    if found["n"]:
        said += _figures(found)
    if count < FEWEST_SOURCES:
        said += f"   not established: {count} of {FEWEST_SOURCES} sources"
    yield f"{_short(metric):<16}{said}   ({AIMS[metric]})"
    if found["n"]:
        yield f"{'  by row':<16}{'':>12}{_figures(found['by_row'])}"
    if found.get("larger_sources"):
        share, larger = found["inside_larger_sources"], found["larger_sources"]
        yield f"{f'  sources of {LARGER} rows or more: {larger}':<67}inside {share:>4.0%}"


def _figures(found: dict[str, Any]) -> str:
    said = f"   median error {found['median_abs_error']:>6.1%}   p90 {found['p90_abs_error']:>6.1%}"
    said += f"   inside {found['inside']:>4.0%}"
    if "median_width" in found:
        return f"{said}   width ±{found['median_width']:.0%}"
    return f"{said}   high / low {found['median_high_over_low']:.2f}"


def _verdicts(metrics: dict[str, Any], aims: tuple[str, str] = ("", ""), indent: str = "") -> Iterator[str]:
    for name, aim in zip(("out_of_memory", "ran"), aims, strict=True):
        found = metrics[name]
        if found["n"] or not indent:
            called = ", ".join(
                f"{found[f'called_{verdict}']} {verdict}" for verdict in ("fits", "tight", "does_not_fit")
            )
            yield f"{indent}{name.replace('_', ' '):<16}{found['n']:>5} rows     called {called}{aim}"
            reported = f"{found['errors']} an error, {found['warnings']} a warning"
            yield f"{indent}{'  in a check':<16}{'':>5}          {reported}"


def _members(members: dict[str, Any], metrics: Iterable[str], *, both: bool, verdicts: bool = False) -> Iterator[str]:
    for name, found in members.items():
        yield f"  {name}: {found['rows']} rows, {found['expressed']} expressed"
        for metric in metrics:
            figures = found["metrics"][metric]
            if figures["n"]:
                yield f"    {_short(metric):<16}{figures['n']:>5} values{_figures(figures)}"
            if figures["n"] and both:
                yield f"    {'  by row':<16}{'':>12}{_figures(figures['by_row'])}"
        if verdicts:
            yield from _verdicts(found["metrics"], indent="    ")


def _widest(widest: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield "the widest tenth of the intervals"
    for metric, found in widest.items():
        if not found["of"]:
            continue
        count = sum(group["n"] for group in found["groups"])
        yield f"  {_short(metric)}: ±{found['from_width']:.0%} or more, {count} of {found['of']} values"
        for group in found["groups"]:
            named = ", ".join(group[part] or "not named" for part in ("source", "method", "placement"))
            yield f"    {group['n']:>4}  {named}: up to ±{group['width']:.0%}"


def _reasons(judged: Sequence[Judged]) -> Iterator[str]:
    yield ""
    yield "not expressed, and why"
    for reason, count in Counter(entry.reason for entry in judged if entry.reason).most_common():
        yield f"{count:>6}  {reason}"
    gaps = Counter((_short(metric), why) for entry in judged for metric, why in entry.gaps.items())
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
