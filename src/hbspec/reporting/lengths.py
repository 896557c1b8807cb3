"""The chapter on data: the lengths of the examples, with the cap at which they are truncated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from hbspec.histogram import Histogram
from hbspec.language import number_text, phrase, spoken
from hbspec.plan.lengths import Profile
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
        source = spoken(lengths.source)
        blocks.append(Statement(phrase("The lengths of the examples are {source}.", source=source), "open"))
        blocks.append(Statement(phrase("Time and cost span all of them. `hbspec data profile` measures them."), "open"))
    elif profile is None or profile.histograms is None:
        source = spoken(lengths.source)
        blocks.append(
            Statement(phrase("Mean and longest are known ({source}); single lengths are not.", source=source), "open")
        )
    if profile is not None:
        blocks += _counted(profile)
    if profile is not None and profile.histograms is not None:
        low, expected, high = profile.histograms
        blocks += [_cut(low, high, cap), _drawing(expected, cap), _table(expected)]
    rows = [
        (phrase("Mean"), interval_text(lengths.mean, significant)),
        (phrase("Longest"), interval_text(lengths.longest, significant)),
        (phrase("Cap (max_length)"), count_text(cap)),
    ]
    headings = (phrase("Quantity"), phrase("Tokens"))
    blocks.append(Listing(phrase("Tokens of an example, before truncation"), headings, rows))
    return Chapter("data", phrase("Data"), blocks)


def _counted(profile: Profile) -> Iterator[Statement]:
    """How many examples there are, how their tokens were counted, and how many are there twice."""
    examples, method = counted(profile.examples, "example"), spoken(profile.method)
    yield Statement(phrase("The profile counts {examples}: {method}.", examples=examples, method=method))
    if profile.exact_duplicates:
        number = number_text(f"{profile.exact_duplicates:,}")
        yield Statement(phrase("Of them, {number} repeat another example exactly.", number=number))


def _cut(low: Histogram, high: Histogram, cap: int) -> Statement:
    """What is truncated; an interval where lengths are estimated."""
    above = [histogram.above(cap) for histogram in (low, high)]
    lost = [100 * histogram.lost(cap) / histogram.total for histogram in (low, high)]
    most = number_text(f"{cap:,}")
    if not above[1]:
        return Statement(phrase("No example is longer than max_length ({cap} tokens).", cap=most), "good")
    said = phrase(
        "{examples} examples are truncated at max_length ({cap} tokens): {share} % of tokens.",
        examples=_span(*(number_text(f"{number:,}") for number in above)),
        cap=most,
        share=_span(*(significant(number, 2) for number in lost)),
    )
    return Statement(said, "open")


def _span(low: str, high: str) -> str:
    return low if low == high else phrase("{low} to {high}", low=low, high=high)


def _drawing(histogram: Histogram, cap: int) -> Drawing:
    values = [one._asdict() for one in bins(histogram)]
    columns = {
        "data": {"values": values},
        "mark": {"type": "bar", "color": variable(SERIES[0]), "stroke": variable("paper"), "strokeWidth": 1},
        "encoding": {
            "x": quantity("start", phrase("tokens"), bin={"binned": True}),
            "x2": {"field": "end"},
            "y": quantity("examples", phrase("examples")),
        },
    }
    line = limit(cap, "max_length") if cap <= 2 * histogram.longest else []
    return Drawing(
        phrase("Lengths of the examples"),
        phrase("A column for the number of examples of each range of lengths. The dashed line is max_length."),
        layered(columns, *line, height=200),
    )


def _table(histogram: Histogram) -> Listing:
    def whole(number: int) -> str:
        return number_text(f"{number:,}")

    rows = [
        (phrase("{low} to {high}", low=whole(one.start), high=whole(one.end - 1)), whole(one.examples))
        for one in bins(histogram)
    ]
    return Listing(phrase("Examples by length, as expected"), (phrase("Tokens"), phrase("Examples")), rows)
