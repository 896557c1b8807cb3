"""The chapter on other plans that train the same: which are the best, and what they save."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hbspec.analysis.change import Change
from hbspec.estimators.verdict import Verdict
from hbspec.language import apart, phrase, spoken, together
from hbspec.render.optimum import by_reason, claims_lost, distinctions, searched_text
from hbspec.render.settings import settings_text
from hbspec.reporting.chapter import Chapter, Drawing, Listing, Statement
from hbspec.reporting.charts import AxisUnit, Layer, layered, quantity, seconds_unit
from hbspec.reporting.colours import SERIES, variable
from hbspec.search.burden import Burdens
from hbspec.search.judging import Recommended
from hbspec.search.optimize import Optimum
from hbspec.search.written import written
from hbspec.units import Money, counted, money_text, seconds_text, significant

NOT_SEARCHED = "Other plans were not searched, so that a cheaper one may exist: hbspec report --plans searches them."


def plans_chapter(optimum: Optimum | str | None) -> Chapter:
    """The plans that no other is better than in cost, time and memory, with the current one beside them.

    Args:
        optimum: what was found, or the reason why nothing could be searched; None where nobody asked.
    """
    if optimum is None:
        return _chapter(Statement(spoken(NOT_SEARCHED)))
    if isinstance(optimum, str):
        lacking = phrase("No plan can be compared: it needs {reason}.", reason=spoken(optimum))
        return _chapter(Statement(lacking, "open"))
    now, plans = optimum.current.burdens, optimum.front.plans
    said = phrase("No plan that trains the same is certain to fit, has no error, and is better or as good.")
    blocks: list[Statement | Listing | Drawing] = [_saving(optimum) if plans else Statement(said, "open")]
    if plans:
        blocks += [_drawing(now, plans), _table(now, plans)]
    if optimum.current.may_be_stopped and now is not None:
        cut = phrase("Cost and time of the current plan are those to its end; max_runtime may stop it earlier.")
        blocks.append(Statement(cut, "open"))
    searched = searched_text(optimum.front.searched, optimum.regions)
    blocks.append(Statement(phrase("Searched: {searched}.", searched=searched)))
    if optimum.front.rejected:
        headings, rows = (phrase("Plans"), phrase("Why not")), by_reason(optimum.front.rejected)
        blocks.append(Listing(phrase("Plans that are not recommended"), headings, rows))
    unknown = phrase("Quota and capacity of these types are not known: look them up before you start.")
    return _chapter(*blocks, Statement(unknown))


def _chapter(*blocks: Statement | Listing | Drawing) -> Chapter:
    return Chapter("plans", phrase("Other plans"), blocks)


def _saving(optimum: Optimum) -> Statement:
    """What the cheapest plan saves, as expected; nothing is saved from a plan that cannot run."""
    now, plans = optimum.current, optimum.front.plans
    best = min(plans, key=lambda plan: plan.burdens.cost.expected).burdens.cost
    cheapest = phrase(
        "The cheapest of {plans} is expected to cost {amount}",
        plans=counted(len(plans), "best plan"),
        amount=Money(best.expected, best.currency),
    )
    if now.verdict is Verdict.DOES_NOT_FIT:
        return Statement(phrase("{cheapest}. The current plan does not fit.", cheapest=cheapest), "open")
    if now.errors:
        errors = ", ".join(now.errors)
        has_errors = phrase("{cheapest}. The current plan has errors ({errors}).", cheapest=cheapest, errors=errors)
        return Statement(has_errors, "open")
    if now.burdens is None or now.burdens.cost.currency != best.currency:
        return Statement(together(cheapest, "."))
    saved = Money(now.burdens.cost.expected - best.expected, best.currency)
    if round(saved.amount, 2) <= 0:
        return Statement(phrase("{cheapest}: not less than the current one.", cheapest=cheapest))
    if best.high <= now.burdens.cost.low:
        less = phrase("{cheapest}: {saved} less than now, and certainly less.", cheapest=cheapest, saved=saved)
        return Statement(less, "good")
    overlap = phrase(
        "{cheapest}: {saved} less than now. It is not certain to cost less, since the intervals overlap.",
        cheapest=cheapest,
        saved=saved,
    )
    return Statement(overlap)


def _drawing(now: Burdens | None, plans: tuple[Recommended, ...]) -> Drawing:
    taken = [(str(number), plan.burdens) for number, plan in enumerate(plans, 1)]
    if now is not None and now.cost.currency == plans[0].burdens.cost.currency:
        taken.append((phrase("current"), now))
    unit = seconds_unit(max(one.time.total_seconds.expected for _, one in taken))
    values = [{**_point(name, one, unit), "current": one is now} for name, one in taken]
    currency = plans[0].burdens.cost.currency
    x = quantity("time", phrase("expected time in {unit}", unit=unit.name), scale={"zero": False})
    y = quantity("cost", phrase("expected cost in {currency}", currency=currency), scale={"zero": False})
    shown = {"condition": {"test": "datum.current", "value": variable("bad")}}
    points: Layer = {
        "data": {"values": values},
        "mark": {"type": "point", "filled": True, "size": 90},
        "encoding": {"x": x, "y": y, "color": {**shown, "value": variable(SERIES[0])}},
    }
    names: Layer = {
        "data": {"values": values},
        "mark": {"type": "text", "align": "left", "dx": 9},
        "encoding": {"x": x, "y": y, "text": {"field": "name", "type": "nominal"}},
    }
    description = phrase(
        "A point for the expected time and cost of each plan, numbered as in the table, and the current one."
    )
    return Drawing(phrase("The best plans"), description, layered(points, names, height=260))


def _point(name: str, one: Burdens, unit: AxisUnit) -> dict[str, Any]:
    return {
        "name": name,
        "time": one.time.total_seconds.expected / unit.size,
        "cost": float(one.cost.expected),
    }


def _table(now: Burdens | None, plans: tuple[Recommended, ...]) -> Listing:
    as_it_is = phrase("as it is")
    rows = [(phrase("current"), as_it_is, *_figures(now), "")] if now is not None else []
    for number, plan in enumerate(plans, 1):
        change = Change(plan.change.kind, written(plan.change), plan.change.remark)
        settings = settings_text(change) if change.settings else as_it_is
        remark = spoken(change.remark)
        beside = (distinctions(plan, plans), remark, claims_lost(plan), ", ".join(plan.warnings))
        rows.append((str(number), settings, *_figures(plan.burdens), apart([*filter(None, beside)])))
    headings = ("Plan", "Settings", "Cost", "Time", "GPU memory certainly free of tensors", "Remark")
    return Listing(phrase("The best plans in cost, time and memory"), tuple(map(spoken, headings)), rows)


def _figures(one: Burdens) -> Iterator[str]:
    cost, time = one.cost, one.time.total_seconds
    amount = Money(cost.expected, cost.currency)
    yield phrase("{expected} ({low} to {high})", expected=amount, low=money_text(cost.low), high=money_text(cost.high))
    expected, low, high = (seconds_text(end) for end in (time.expected, time.low, time.high))
    yield phrase("{expected} ({low} to {high})", expected=expected, low=low, high=high)
    yield phrase("{share} %", share=significant(100 * one.headroom, 2))
