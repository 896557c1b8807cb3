"""The chapter on the endpoint: how long an answer takes, and what it costs, by the number of concurrent requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hbspec.diagnostics import NotKnownError
from hbspec.estimators.serving.cost import answers_cost
from hbspec.estimators.serving.endpoint import Serving
from hbspec.estimators.serving.load import Load, load
from hbspec.estimators.serving.room import room_bytes
from hbspec.plan import ServingPlan
from hbspec.render.answer import answer
from hbspec.render.serving import endpoint_rows, evaluation_rows
from hbspec.reporting.chapter import Chapter, Drawing, Listing, Statement, listing_of
from hbspec.reporting.charts import Layer, layered, quantity, seconds_unit
from hbspec.reporting.colours import SERIES, variable
from hbspec.units import Interval, money_text, seconds_text, significant

if TYPE_CHECKING:
    from hbspec.api import Estimates


def endpoint_chapter(estimates: Estimates) -> Chapter | None:
    """The sentence, the curve of latency, its table, and all figures; None for a spec without a deployment."""
    if estimates.analysis.spec.deployment is None:
        return None
    serving = estimates.serving
    if serving is None:
        reason = estimates.unknown.get("serving", "its weights")
        return Chapter("endpoint", "Endpoint", [Statement(f"The endpoint is not known: it needs {reason}.", "open")])
    said = tuple(answer(estimates))[3]
    blocks: list[Statement | Listing | Drawing] = [Statement(said.text, said.style)]
    plan = estimates.analysis.serving_plan
    found = loads(plan, serving)
    if found:
        blocks += [_curve(found, plan.concurrency), _by_concurrency(plan, found)]
    else:
        reason = serving.unknown.get("load", "the speed of the endpoint")
        blocks.append(Statement(f"Latency under load is not known: it needs {reason}.", "open"))
    blocks.append(listing_of("The endpoint", endpoint_rows(serving)))
    if estimates.evaluation is not None:
        blocks.append(listing_of("The evaluation after training", evaluation_rows(estimates.evaluation)))
    return Chapter("endpoint", "Endpoint", blocks)


def loads(plan: ServingPlan, serving: Serving) -> list[Load]:
    """One instance at 1, 2, 4, … concurrent requests of typical length, as planned, and at as many as fit.

    Empty where the speed or the room of the endpoint is not known.
    """
    if serving.load is None:
        return []
    most = serving.load.largest_concurrency
    numbers = {2**power for power in range(most.bit_length())} | {serving.load.concurrency, most}
    try:
        free = room_bytes(plan)
        if free is None:
            return []
        return [load(plan._replace(concurrency=number), free.expected) for number in sorted(numbers)]
    except NotKnownError:
        return []


def _curve(found: list[Load], planned: int) -> Drawing:
    unit = seconds_unit(max(one.latency_seconds.high for one in found))
    values = [{"requests": one.concurrency, **_in(one.latency_seconds, unit.size)} for one in found]
    now = [value for value in values if value["requests"] == planned]
    y = f"latency in {unit.name}"
    x = quantity("requests", "concurrent requests of typical length", scale={"type": "log", "base": 2})
    colour = variable(SERIES[0])
    band: Layer = {
        "data": {"values": values},
        "mark": {"type": "area", "color": colour, "opacity": 0.25},
        "encoding": {"x": x, "y": quantity("low", y), "y2": {"field": "high"}},
    }
    line: Layer = {
        "data": {"values": values},
        "mark": {"type": "line", "color": colour, "point": {"color": colour, "size": 40}},
        "encoding": {"x": x, "y": quantity("expected", y)},
    }
    point: Layer = {
        "data": {"values": now},
        "mark": {"type": "point", "color": variable("bad"), "size": 160, "strokeWidth": 3},
        "encoding": {"x": x, "y": quantity("expected", y)},
    }
    return Drawing(
        "Latency by concurrency",
        "The line is the expected latency of a typical answer, the band spans low to high. "
        "The ring is the planned concurrency.",
        layered(band, line, *([point] if now else []), height=240),
    )


def _in(seconds: Interval, size: float) -> dict[str, float]:
    return seconds.map(lambda value: value / size).to_dict()


def _by_concurrency(plan: ServingPlan, found: list[Load]) -> Listing:
    rows = [tuple(_cells(plan, one)) for one in found]
    headings = ("Requests", "Latency, low", "Expected", "High", "Requests per hour", "1,000 answers cost")
    return Listing("Latency and cost of one instance by concurrency", headings, rows)


def _cells(plan: ServingPlan, one: Load) -> Iterator[str]:
    yield f"{one.concurrency:,} (planned)" if one.concurrency == plan.concurrency else f"{one.concurrency:,}"
    yield from (seconds_text(end) for end in _ends(one.latency_seconds))
    yield " to ".join(significant(end) for end in (one.requests_per_hour.low, one.requests_per_hour.high))
    cost = answers_cost(plan, one.requests_per_hour)
    yield f"{money_text(cost.low)} to {money_text(cost.high)} {cost.currency}" if cost else "price not known"


def _ends(interval: Interval) -> tuple[float, float, float]:
    return interval.low, interval.expected, interval.high
