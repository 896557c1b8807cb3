"""The summary of a profile: truncation at caps, padding, packing, and advice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import ceil

from hbspec.dataset.layouts import said
from hbspec.dataset.profile import DataProfile
from hbspec.dataset.records import MESSAGES
from hbspec.histogram import Histogram
from hbspec.render.lines import Line, wrapped
from hbspec.render.rows import Row, rows, section
from hbspec.units import Interval, count_text, counted, interval_text

TILE = 64
"""Caps are rounded up to this many tokens, the tile of the usual attention kernels."""
USUAL_CAPS = (256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
MICRO_BATCHES = (2, 4, 8, 16)
PACKED = (2048, 4096)
WASTE = 0.1
"""Advice is given only if the share of padding is above this."""


def summary(profile: DataProfile, caps: Sequence[int], width: int | None) -> Iterator[Line]:
    """The lines of a summary; `caps` (tokens) are shown besides the usual ones that truncate an example."""
    yield from wrapped((("title", counted(profile.examples, "example")), ("", _beside(profile))), width, 4)
    if profile.layout not in (None, MESSAGES):
        pair = "; a pair has the length of its longer row" if profile.layout.type == "preference" else ""
        yield from wrapped((("", f"{said(profile.layout)}{pair}"),), width, 4)
    lengths = (
        ("mean", interval_text(_interval(profile, lambda histogram: histogram.mean), _whole), ""),
        ("longest", interval_text(_interval(profile, lambda histogram: histogram.longest), _whole), ""),
    )
    yield from section("Tokens of an example", width, profile.method, "faint")
    yield from rows(lengths, width)
    yield from section("Truncated at max_length", width)
    yield from rows((_cut(profile, cap) for cap in _caps(profile, caps)), width)
    if profile.examples >= MICRO_BATCHES[0]:
        yield from section("Padded to the longest of a micro-batch", width)
        yield from rows((_padding(profile, draws) for draws in MICRO_BATCHES if draws <= profile.examples), width)
    yield from section("Packed", width)
    fitting = [cap for cap in (*PACKED, *caps) if cap >= profile.expected.longest]
    yield from rows((_packing(profile, cap) for cap in sorted(set(fitting or [enough(profile.expected)]))), width)
    yield from section("Advice", width)
    for sentence in advice(profile):
        yield from wrapped((("", f"  {sentence}"),), width, 4)


def advice(profile: DataProfile) -> Iterator[str]:
    """Advice on what to write into a spec, a sentence each: for the expected and for the largest estimated lengths."""
    expected, sure = enough(profile.expected), enough(profile.high)
    longest = count_text(profile.expected.longest)
    if profile.is_exact:
        yield f"max_length: {expected} truncates nothing: the longest example has {longest} tokens"
    else:
        yield f"max_length: {expected} is expected to truncate nothing: the longest example has {longest} tokens"
        if sure > expected:
            most = count_text(profile.high.longest)
            yield f"max_length: {sure} truncates nothing even at {most} tokens, the highest estimate; pass --tokenizer"
    waste = _waste(profile.expected, MICRO_BATCHES[0]) if profile.examples > 1 else 0.0
    if waste > WASTE:
        yield (
            f"at least {_percent(waste)} of the tokens in micro-batches of {MICRO_BATCHES[0]} or more are padding: use "
            "per_device_batch_size 1 or packing to avoid it"
        )
    if profile.distinct < profile.examples:
        yield "run `hbspec data check` to list the lines of repeated examples"


def enough(histogram: Histogram) -> int:
    """The smallest cap, in tokens and a multiple of `TILE`, that truncates nothing."""
    return ceil(histogram.longest / TILE) * TILE


def _caps(profile: DataProfile, asked: Sequence[int]) -> list[int]:
    cutting = [cap for cap in USUAL_CAPS if cap < profile.high.longest]
    return sorted({*cutting, *asked, enough(profile.expected), enough(profile.high)})


def _cut(profile: DataProfile, cap: int) -> Row:
    examples = _interval(profile, lambda histogram: histogram.above(cap))
    lost = _interval(profile, lambda histogram: histogram.lost(cap) / histogram.total)
    if not examples.high:
        return count_text(cap), "truncates nothing", ""
    cut = f"truncates {interval_text(examples, count_text)} {'example' if examples.high == 1 else 'examples'}"
    return count_text(cap), cut, f"{interval_text(lost, _percent)} of all tokens"


def _padding(profile: DataProfile, micro_batch: int) -> Row:
    padded = _interval(profile, lambda histogram: histogram.padded(micro_batch))
    waste = _percent(_waste(profile.expected, micro_batch))
    return f"{micro_batch} rows", f"{interval_text(padded, _whole)} tokens per row", f"{waste} of them padding"


def _packing(profile: DataProfile, cap: int) -> Row:
    packed = profile.expected.packed(cap)
    full = profile.expected.cut(cap).total / (packed * cap)
    gain = f"{profile.examples / packed:.1f} examples per row, {_percent(full)} full"
    return f"to {count_text(cap)}", counted(packed, "row"), gain


def _waste(histogram: Histogram, micro_batch: int) -> float:
    return 1 - histogram.mean / histogram.padded(micro_batch)


def _interval(profile: DataProfile, number: Callable[[Histogram], float]) -> Interval:
    """A number at the fewest, expected and most tokens, sorted: a share need not grow with the lengths."""
    expected = number(profile.expected)
    low, high = number(profile.low), number(profile.high)
    return Interval(min(low, expected, high), expected, max(low, expected, high))


def _beside(profile: DataProfile) -> str:
    repeated = profile.examples - profile.distinct
    parts = [f"{repeated:,} of them repeats of an earlier one"] if repeated else []
    parts += [f"{counted(profile.broken_lines, 'line')} left out"] if profile.broken_lines else []
    return f", {', '.join(parts)}" if parts else ""


def _whole(tokens: float) -> str:
    return count_text(round(tokens))


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if 0 < share < 0.1 else f"{100 * share:.0f} %"
