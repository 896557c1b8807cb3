"""The chapter on time: the job's phases one after the other, with the interval of each end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from hbspec.estimators.job.time import NOT_BILLED, Time
from hbspec.language import phrase, spoken
from hbspec.render.answer import answer
from hbspec.render.bill import phase_rows
from hbspec.render.estimates import plan_rows
from hbspec.render.memory import words
from hbspec.reporting.chapter import Chapter, Drawing, Listing, Statement, listing_of
from hbspec.reporting.charts import ROW, Layer, category, layered, limit, quantity, seconds_unit, whiskers
from hbspec.reporting.colours import SERIES, variable
from hbspec.units import Interval, seconds_text

if TYPE_CHECKING:
    from hbspec.api import Estimates

NEARBY = 1.5
"""How many times the high end a limit may be at most, to be drawn: a farther one would squeeze the phases."""


class Stretch(NamedTuple):
    """A phase on the timeline: its seconds, and the seconds from the request to its end."""

    name: str
    took: Interval
    end: Interval


def stretches(time: Time) -> Iterator[Stretch]:
    """The phases in their order, each with the interval of its end.

    An end is as uncertain as all phases before it together: the sum of their intervals.
    """
    end = Interval.exact(0)
    for name, took in time.phases.items():
        end += took
        yield Stretch(name, took, end)


def time_chapter(estimates: Estimates) -> Chapter:
    """The sentence, the timeline, its table, and the counts that time follows from."""
    said = tuple(answer(estimates))[1]
    blocks: list[Statement | Listing | Drawing] = [Statement(said.text, said.style)]
    if estimates.time is not None:
        blocks += [*_limit(estimates.time), _timeline(estimates.time), _table(estimates.time)]
        blocks.append(listing_of(phrase("Speed, and what is billed"), _speed(estimates.time)))
    blocks.append(listing_of(phrase("Counts"), plan_rows(estimates.plan)))
    return Chapter("time", phrase("Time"), blocks)


def _speed(time: Time) -> Iterator[tuple[str, str, str]]:
    phases = {words(name) for name in time.phases}
    return (row for row in phase_rows(time) if row[0] not in phases)


def _limit(time: Time) -> Iterator[Statement]:
    if time.limit is not None:
        limit = seconds_text(time.limit)
        if time.may_be_stopped:
            yield Statement(phrase("max_runtime ({limit}, without the start-up) may stop the job.", limit=limit))
        else:
            yield Statement(phrase("max_runtime ({limit}, without the start-up) does not stop the job.", limit=limit))


def _timeline(time: Time) -> Drawing:
    found = list(stretches(time))
    unit = seconds_unit(time.total_seconds.high)
    values = [
        {
            "name": words(one.name),
            "start": (one.end.expected - one.took.expected) / unit.size,
            "end": one.end.expected / unit.size,
            "low": one.end.low / unit.size,
            "high": one.end.high / unit.size,
        }
        for one in found
    ]
    spans: Layer = {
        "data": {"values": values},
        "mark": {"type": "bar", "color": variable(SERIES[0]), "height": {"band": 0.62}},
        "encoding": {
            "x": quantity("start", phrase("{unit} since the request", unit=unit.name)),
            "x2": {"field": "end"},
            "y": category("name"),
        },
    }
    waits = sum((one.took.expected for one in found if one.name in NOT_BILLED), 0.0)
    at = None if time.limit is None else time.limit + waits
    line = limit(at / unit.size, "max_runtime") if at and at <= NEARBY * time.total_seconds.high else []
    return Drawing(
        phrase("Timeline of the job"),
        phrase(
            "A bar from the expected start to the expected end of each phase. "
            "The thin line spans the earliest and the latest end."
        ),
        layered(spans, whiskers(values), *line, height=ROW * len(values)),
    )


def _table(time: Time) -> Listing:
    rows = [
        (
            words(one.name),
            *(seconds_text(value) for value in (one.took.low, one.took.expected, one.took.high)),
            *(seconds_text(value) for value in (one.end.low, one.end.expected, one.end.high)),
            phrase("no") if one.name in NOT_BILLED else phrase("yes"),
        )
        for one in stretches(time)
    ]
    headings = ("Phase", "Low", "Expected", "High", "Earliest end", "Expected end", "Latest end", "Billed")
    return Listing(phrase("Phases of the job"), tuple(map(spoken, headings)), rows)
