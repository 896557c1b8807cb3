"""The time of a job, phase by phase, and its cost, item by item."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from hbspec.estimators.job.cost import Cost, CostItem
from hbspec.estimators.job.time import NOT_BILLED, Time
from hbspec.estimators.verdict import Verdict
from hbspec.language import phrase
from hbspec.plan import UnitPrice
from hbspec.render.lines import Line
from hbspec.render.memory import VERDICTS, words
from hbspec.render.rows import Row, rows, section
from hbspec.source.excerpts import printable
from hbspec.units import Money, interval_text, seconds_text, significant


def time_lines(time: Time | None, width: int | None) -> Iterator[Line]:
    """The section on time; empty where the time is not known."""
    if time:
        yield from section("Time", width, interval_text(time.total_seconds, seconds_text))
        yield from rows(phase_rows(time), width)


def cost_lines(cost: Cost | None, price: UnitPrice | None, as_of: date, width: int | None) -> Iterator[Line]:
    """The section on cost: the bill, or the price alone; empty where neither is known.

    Args:
        cost: the bill.
        price: the price of one instance.
        as_of: the day on which the price's age is calculated.
        width: columns to wrap at.
    """
    if cost:
        yield from section("Cost", width, _amounts(cost, cost.currency))
        yield from rows((*_items(cost), *_price(price, as_of), *_left_out(cost)), width)
    elif price:
        yield from section("Cost", width, *VERDICTS[Verdict.UNKNOWN])
        yield from rows(_price(price, as_of), width)


def phase_rows(time: Time) -> Iterator[Row]:
    """An update, the rate, each phase, and what is billed."""
    yield "one update", interval_text(time.step_seconds, seconds_text), ""
    for name, took in time.rolled.items():
        yield f"{name} for it", interval_text(took, seconds_text), "in that"
    rate = interval_text(time.tokens_per_second_per_gpu, significant)
    yield "tokens per second per GPU", rate, "excluding padding"
    for name, took in time.phases.items():
        yield words(name), interval_text(took, seconds_text), "not billed" if name in NOT_BILLED else ""
    limit = ""
    if time.limit and time.may_be_stopped:
        limit = phrase("stopped by max_runtime ({limit})", limit=seconds_text(time.limit))
    yield "billed", interval_text(time.billed_seconds, seconds_text), limit


def _amounts(item: Cost | CostItem, currency: str) -> str:
    """`low to high (expected …)` for a bill or one of its items."""
    low, expected, high = (str(Money(amount, currency)) for amount in (item.low, item.expected, item.high))
    return expected if low == high else f"{low} to {high} (expected {expected})"


def _items(cost: Cost) -> Iterator[Row]:
    for item in cost.items:
        yield words(item.name), _amounts(item, cost.currency), item.note


def _price(price: UnitPrice | None, as_of: date) -> Iterator[Row]:
    if price is None:
        return
    said = price.basis
    if price.basis != "author":
        age = price.age_days(as_of)
        said += ", undated" if age is None else f", as of {price.as_of}, {age} days old"
    yield "price", str(price.rate), f"{said}: {printable(price.source)}"


def _left_out(cost: Cost) -> Iterator[Row]:
    for name, reason in cost.left_out.items():
        yield "left out", name, printable(reason)
