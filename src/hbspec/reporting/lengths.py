"""The chapter on data: the lengths of the examples, with the cap at which they are truncated."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hbspec.histogram import Histogram
from hbspec.reporting.chapter import Chapter, Drawing, Listing, Statement
from hbspec.reporting.charts import layered, limit, quantity
from hbspec.reporting.colours import SERIES, variable
from hbspec.units import count_text, counted, interval_text, significant

if TYPE_CHECKING:
    from hbspec.api import Estimates

BINS = 30


class LengthBin(NamedTuple):
    """Examples whose length is at least `start` and below `end` tokens."""

    start: int
    end: int
    examples: int


def bins(histogram: Histogram) -> list[LengthBin]:
    """At most `BINS` bins of one width in whole tokens, which hold every example; the last one ends after the longest.

    >>> bins(Histogram((1, 2, 60), (4, 1, 2)))[0], len(bins(Histogram((1, 2, 60), (4, 1, 2))))
    (LengthBin(start=0, end=3, examples=5), 21)
    """
    width = histogram.longest // BINS + 1
    found = [0] * (histogram.longest // width + 1)
    for length, count in histogram.pairs():
        found[length // width] += count
    return [LengthBin(number * width, (number + 1) * width, count) for number, count in enumerate(found)]


def lengths_chapter(estimates: Estimates) -> Chapter:
    """Where the lengths come from, the histogram with the cap, and how much the cap cuts off."""
    plan, profile = estimates.plan, estimates.analysis.profile
    cap, lengths = plan.training.max_length, plan.lengths
    blocks: list[Statement | Listing | Drawing] = []
    if not lengths.known:
        blocks.append(Statement(f"The lengths of the examples are {lengths.source}.", "open"))
        blocks.append(Statement("Time and cost span all of them. `hbspec data profile` measures them.", "open"))
    elif profile is None or profile.histograms is None:
        blocks.append(Statement(f"Mean and longest are known ({lengths.source}); single lengths are not.", "open"))
    if profile is not None:
        blocks.append(Statement(f"The profile counts {counted(profile.examples, 'example')}: {profile.method}."))
        if profile.exact_duplicates:
            blocks.append(Statement(f"Of them, {profile.exact_duplicates:,} repeat another example exactly."))
    if profile is not None and profile.histograms is not None:
        low, expected, high = profile.histograms
        blocks += [_cut(low, high, cap), _drawing(expected, cap), _table(expected)]
    rows = [
        ("Mean", interval_text(lengths.mean, significant)),
        ("Longest", interval_text(lengths.longest, significant)),
        ("Cap (max_length)", count_text(cap)),
    ]
    blocks.append(Listing("Tokens of an example, before truncation", ("Quantity", "Tokens"), rows))
    return Chapter("data", "Data", blocks)


def _cut(low: Histogram, high: Histogram, cap: int) -> Statement:
    """What is truncated; an interval where lengths are estimated."""
    above = [histogram.above(cap) for histogram in (low, high)]
    lost = [100 * histogram.lost(cap) / histogram.total for histogram in (low, high)]
    if not above[1]:
        return Statement(f"No example is longer than max_length ({cap:,} tokens).", "good")
    examples = " to ".join(dict.fromkeys(f"{number:,}" for number in above))
    share = " to ".join(dict.fromkeys(significant(number, 2) for number in lost))
    return Statement(f"{examples} examples are truncated at max_length ({cap:,} tokens): {share} % of tokens.", "open")


def _drawing(histogram: Histogram, cap: int) -> Drawing:
    values = [one._asdict() for one in bins(histogram)]
    columns = {
        "data": {"values": values},
        "mark": {"type": "bar", "color": variable(SERIES[0]), "stroke": variable("paper"), "strokeWidth": 1},
        "encoding": {
            "x": quantity("start", "tokens", bin={"binned": True}),
            "x2": {"field": "end"},
            "y": quantity("examples", "examples"),
        },
    }
    line = limit(cap, "max_length") if cap <= 2 * histogram.longest else []
    return Drawing(
        "Lengths of the examples",
        "A column for the number of examples of each range of lengths. The dashed line is max_length.",
        layered(columns, *line, height=200),
    )


def _table(histogram: Histogram) -> Listing:
    rows = [(f"{one.start:,} to {one.end - 1:,}", f"{one.examples:,}") for one in bins(histogram)]
    return Listing("Examples by length, as expected", ("Tokens", "Examples"), rows)
