"""The chapter on the endpoint: how long an answer takes, and what it costs, by the number of concurrent requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hbspec.estimators.serving.cost import answers_cost
from hbspec.estimators.serving.curve import curve
from hbspec.estimators.serving.load import Load
from hbspec.language import number_text, phrase, spoken
from hbspec.plan import ServingPlan
from hbspec.render.answer import answer
from hbspec.render.serving import endpoint_rows, evaluation_rows
from hbspec.reporting.chapter import Chapter, Drawing, Listing, Statement, listing_of
from hbspec.reporting.charts import Layer, layered, quantity, seconds_unit
from hbspec.reporting.colours import SERIES, variable
from hbspec.units import Interval, money_text, seconds_text, significant

if TYPE_CHECKING:
    from hbspec.api import Estimates


def endpoint_chapter(estimates: Estimates) -> Chapter:
    """The sentence, the curves of latency and of cost, their table, and all figures."""
    if estimates.analysis.spec.deployment is None:
        return _chapter(Statement(phrase("The spec describes no endpoint (`deployment`).")))
    serving = estimates.serving
    if serving is None:
        reason = spoken(estimates.unknown.get("serving", "its weights"))
        return _chapter(Statement(phrase("The endpoint is not known: it needs {reason}.", reason=reason), "open"))
    said = tuple(answer(estimates))[3]
    blocks: list[Statement | Listing | Drawing] = [Statement(said.text, said.style)]
    plan = estimates.analysis.serving_plan
    found = curve(plan)
    if found:
        blocks += [_latency(found, plan.concurrency), _latencies(plan, found), *_cost(plan, found)]
    else:
        reason = spoken(serving.unknown.get("load", "the speed of the endpoint"))
        blocks.append(Statement(phrase("Latency under load is not known: it needs {reason}.", reason=reason), "open"))
    blocks.append(listing_of(phrase("The endpoint"), endpoint_rows(serving, estimates.within_latency)))
    if estimates.evaluation is not None:
        blocks.append(listing_of(phrase("The evaluation after training"), evaluation_rows(estimates.evaluation)))
    return _chapter(*blocks)


def _chapter(*blocks: Statement | Listing | Drawing) -> Chapter:
    return Chapter("endpoint", phrase("Endpoint"), blocks)


def _latency(found: list[Load], planned: int) -> Drawing:
    unit = seconds_unit(max(one.latency_seconds.high for one in found))
    values = [{"requests": one.concurrency, **_in(one.latency_seconds, unit.size)} for one in found]
    return Drawing(
        phrase("Latency by concurrency"),
        phrase(
            "The line is the expected latency of a typical answer, the band spans low to high. "
            "The ring is the planned concurrency."
        ),
        _curve(values, phrase("latency in {unit}", unit=unit.name), planned),
    )


def _cost(plan: ServingPlan, found: list[Load]) -> Iterator[Statement | Drawing | Listing]:
    """What answers cost, as a curve and as a table; where the price is not known, that it is not."""
    bills = [(one.concurrency, answers_cost(plan, one.requests_per_hour)) for one in found]
    known = [(number, bill) for number, bill in bills if bill is not None]
    if not known:
        yield Statement(phrase("What answers cost is not known: it needs the price of the endpoint."), "open")
        return
    currency = known[0][1].currency
    values = [
        {"requests": number, "low": float(bill.low), "expected": float(bill.expected), "high": float(bill.high)}
        for number, bill in known
    ]
    yield Drawing(
        phrase("Cost by concurrency"),
        phrase(
            "The line is the expected cost of 1,000 typical answers of an instance that is always busy, the band spans "
            "low to high. The ring is the planned concurrency."
        ),
        _curve(values, phrase("{currency} for 1,000 answers", currency=currency), plan.concurrency),
    )
    rows = [(_requests(plan, number), *map(money_text, (bill.low, bill.expected, bill.high))) for number, bill in known]
    caption = phrase("Cost of 1,000 answers in {currency} by concurrency", currency=currency)
    yield Listing(caption, tuple(map(spoken, ("Requests", "Low", "Expected", "High"))), rows)


def _curve(values: list[dict[str, float]], y: str, planned: int) -> Layer:
    now = [value for value in values if value["requests"] == planned]
    x = quantity("requests", phrase("concurrent requests of typical length"), scale={"type": "log", "base": 2})
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
    return layered(band, line, *([point] if now else []), height=240)


def _in(seconds: Interval, size: float) -> dict[str, float]:
    return seconds.map(lambda value: value / size).to_dict()


def _latencies(plan: ServingPlan, found: list[Load]) -> Listing:
    rows = [tuple(_cells(plan, one)) for one in found]
    headings = ("Requests", "Latency, low", "Expected", "High", "Requests per hour")
    return Listing(phrase("Latency of one instance by concurrency"), tuple(map(spoken, headings)), rows)


def _cells(plan: ServingPlan, one: Load) -> Iterator[str]:
    yield _requests(plan, one.concurrency)
    yield from (seconds_text(end) for end in _ends(one.latency_seconds))
    rate = one.requests_per_hour
    yield phrase("{low} to {high}", low=significant(rate.low), high=significant(rate.high))


def _requests(plan: ServingPlan, number: int) -> str:
    said = number_text(f"{number:,}")
    return phrase("{number} (planned)", number=said) if number == plan.concurrency else said


def _ends(interval: Interval) -> tuple[float, float, float]:
    return interval.low, interval.expected, interval.high
