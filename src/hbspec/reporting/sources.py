"""The chapter on what everything rests on: assumptions, what is not known, and the source and day of every fact."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from hbspec.plan import STALE_AFTER_DAYS, UnitPrice
from hbspec.plan.hardware import Hardware
from hbspec.render.estimates import assumed_rows, missing_rows
from hbspec.reporting.chapter import Chapter, Listing, Statement

if TYPE_CHECKING:
    from hbspec.api import Estimates

Fact = tuple[str, str, str, str]
"""What it is of, its value, the day on which it was read or checked, and its source."""
BY_AUTHOR = "set in the spec"


def sources_chapter(estimates: Estimates) -> Chapter:
    """Assumptions, what is not known, and facts with their sources and days."""
    blocks: list[Statement | Listing] = []
    assumed, missing = tuple(assumed_rows(estimates.assumed)), tuple(missing_rows(estimates))
    if assumed:
        blocks.append(Listing("Assumed: the spec leaves it open", ("Key", "Value", "From"), assumed))
    if missing:
        rows = [(name, remark) for name, _, remark in missing]
        blocks.append(Listing("Not known", ("Quantity", "What is missing"), rows))
    blocks.append(Listing("Facts", ("Fact", "Value", "Day", "Source"), tuple(facts(estimates))))
    return Chapter("sources", "Assumptions and sources", blocks)


def facts(estimates: Estimates) -> Iterator[Fact]:
    """Every fact from outside the spec that the figures rest on, and each amount of the author's in its place."""
    plan, analysis = estimates.plan, estimates.analysis
    if plan.price is not None:
        yield _price("price of the job", plan.price, estimates.as_of)
    if analysis.spec.deployment is not None:
        served = analysis.serving_plan
        if served.price is not None:
            yield _price("price of the endpoint", served.price, estimates.as_of)
        yield from _hardware("endpoint", served.hardware)
    if analysis.spec.budget is not None:
        for currency, entry in analysis.spec.budget.exchange_rates.items():
            value = f"1 {currency} = {entry.rate} {analysis.spec.budget.max_cost.currency}"
            yield "exchange rate", value, str(entry.date), BY_AUTHOR
    yield from _hardware("job", plan.hardware)
    yield from _model(estimates)
    if analysis.profile is not None:
        digest = analysis.profile.digest
        yield "data", f"{analysis.profile.examples:,} examples", "undated", f"data.profile, digest {digest}"
    if plan.measured is not None:
        found = plan.measured.measurement
        yield "measurement", found.gpu, found.day, "calibration.record"


def _price(name: str, price: UnitPrice, as_of: date) -> Fact:
    """A price with its age; an old or undated one is said to be so."""
    if price.basis == "author":
        return name, str(price.rate), "undated", BY_AUTHOR
    age = price.age_days(as_of)
    return name, str(price.rate), "undated" if age is None else _aged(price, age), f"{price.basis}: {price.source}"


def _aged(price: UnitPrice, age: int) -> str:
    return f"{price.as_of}, {age} days old" + (": stale" if age > STALE_AFTER_DAYS else "")


def _hardware(name: str, hardware: Hardware | None) -> Iterator[Fact]:
    if hardware is None:
        return
    if hardware.instance is not None:
        row = hardware.instance
        yield f"instance of the {name}", row.name, str(row.checked), row.source
    gpu = hardware.gpu
    day = "undated" if gpu.checked == date.min else str(gpu.checked)
    yield f"GPU of the {name}", f"{hardware.gpus} x {gpu.name}", day, gpu.source


def _model(estimates: Estimates) -> Iterator[Fact]:
    analysis = estimates.analysis
    if analysis.spec.model.config is not None:
        yield "model", estimates.plan.model, "undated", f"model.config: {analysis.spec.model.config}"
        return
    row = analysis.catalog.models.get(analysis.spec.model.id) if analysis.spec.model.id else None
    if row is not None:
        yield "model", row.id, str(row.checked), row.source
