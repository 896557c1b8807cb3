"""The chapter on what everything rests on: assumptions, what is not known, and the source and day of every fact."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from hbspec.language import day_text, english, number_text, phrase, spoken
from hbspec.plan import STALE_AFTER_DAYS, UnitPrice
from hbspec.plan.hardware import Hardware
from hbspec.render.estimates import assumed_rows, missing_rows
from hbspec.reporting.chapter import Chapter, Listing, Statement, untranslated
from hbspec.units import counted

if TYPE_CHECKING:
    from hbspec.api import Estimates

Fact = tuple[str, str, str, str]
"""What it is of, its value, the day on which it was read or checked, and its source."""
BY_AUTHOR, UNDATED = "set in the spec", "undated"


def sources_chapter(estimates: Estimates) -> Chapter:
    """Assumptions, what is not known, and facts with their sources and days."""
    blocks: list[Statement | Listing] = [*untranslated()]
    assumed, missing = tuple(assumed_rows(estimates.assumed)), tuple(missing_rows(estimates))
    if assumed:
        rows = [(key, value, spoken(source)) for key, value, source in assumed]
        blocks.append(Listing(phrase("Assumed: the spec leaves it open"), _headings("Key", "Value", "From"), rows))
    if missing:
        lacking = [(name, remark) for name, _, remark in missing]
        blocks.append(Listing(phrase("Not known"), _headings("Quantity", "What is missing"), lacking))
    headings = _headings("Fact", "Value", "Day", "Source")
    blocks.append(Listing(phrase("Facts"), headings, [(spoken(name), *fact) for name, *fact in facts(estimates)]))
    return Chapter("sources", phrase("Assumptions and sources"), blocks)


def _headings(*names: str) -> tuple[str, ...]:
    return tuple(map(spoken, names))


def facts(estimates: Estimates) -> Iterator[Fact]:
    """Every fact from outside the spec that the figures rest on, and each amount of the author's in its place."""
    plan, analysis = estimates.plan, estimates.analysis
    if plan.price is not None:
        yield _price("price of the job", plan.price, estimates.as_of)
    if analysis.spec.deployment is not None:
        served = analysis.serving_plan
        if served.price is not None:
            yield _price("price of the endpoint", served.price, estimates.as_of)
        yield from _hardware("instance of the endpoint", "GPU of the endpoint", served.hardware)
    if analysis.spec.budget is not None:
        for currency, entry in analysis.spec.budget.exchange_rates.items():
            rate = number_text(str(entry.rate))
            value = f"1 {currency} = {rate} {analysis.spec.budget.max_cost.currency}"
            yield "exchange rate", value, day_text(entry.date), spoken(BY_AUTHOR)
    yield from _hardware("instance of the job", "GPU of the job", plan.hardware)
    yield from _model(estimates)
    if analysis.profile is not None:
        digest = analysis.profile.digest
        examples = counted(analysis.profile.examples, "example")
        yield "data", examples, spoken(UNDATED), phrase("data.profile, digest {digest}", digest=digest)
    if plan.measured is not None:
        found = plan.measured.measurement
        yield "measurement", found.gpu, day_text(found.day), "calibration.record"


def _price(name: str, price: UnitPrice, as_of: date) -> Fact:
    """A price with its age; an old or undated one is said to be so."""
    if price.basis == "author":
        return name, str(price.rate), spoken(UNDATED), spoken(BY_AUTHOR)
    age = price.age_days(as_of)
    day = spoken(UNDATED) if price.as_of is None or age is None else _aged(price.as_of, age)
    return name, str(price.rate), day, english(f"{price.basis}: {price.source}")


def _aged(day: date, age: int) -> str:
    days = counted(age, "day")
    if age > STALE_AFTER_DAYS:
        return phrase("{day}, {age} old: stale", day=day_text(day), age=days)
    return phrase("{day}, {age} old", day=day_text(day), age=days)


def _hardware(instance: str, name: str, hardware: Hardware | None) -> Iterator[Fact]:
    if hardware is None:
        return
    if hardware.instance is not None:
        row = hardware.instance
        yield instance, row.name, day_text(row.checked), english(row.source)
    gpu = hardware.gpu
    day = spoken(UNDATED) if gpu.checked == date.min else day_text(gpu.checked)
    yield name, f"{hardware.gpus} x {gpu.name}", day, english(gpu.source)


def _model(estimates: Estimates) -> Iterator[Fact]:
    analysis = estimates.analysis
    if analysis.spec.model.config is not None:
        yield "model", estimates.plan.model, spoken(UNDATED), f"model.config: {analysis.spec.model.config}"
        return
    row = analysis.catalog.models.get(analysis.spec.model.id) if analysis.spec.model.id else None
    if row is not None:
        yield "model", row.id, day_text(row.checked), english(row.source)
