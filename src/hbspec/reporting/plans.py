"""The chapter on other plans that train the same: which are the best, and what they save."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hbspec.analysis.change import Change
from hbspec.estimators.verdict import Verdict
from hbspec.render.optimum import by_reason, distinctions, searched_text
from hbspec.render.settings import settings_text
from hbspec.reporting.chapter import Chapter, Drawing, Listing, Statement
from hbspec.reporting.charts import AxisUnit, Layer, layered, quantity, seconds_unit
from hbspec.reporting.colours import SERIES, variable
from hbspec.search.burden import Burdens
from hbspec.search.judging import Recommended
from hbspec.search.optimize import Optimum
from hbspec.search.written import written
from hbspec.units import Money, counted, money_text, seconds_text, significant

CURRENT = "current"
NOT_SEARCHED = "Other plans were not searched, so that a cheaper one may exist: hbspec report --plans searches them."


def plans_chapter(optimum: Optimum | str | None) -> Chapter:
    """The plans that no other is better than in cost, time and memory, with the current one beside them.

    Args:
        optimum: what was found, or the reason why nothing could be searched; None where nobody asked.
    """
    if optimum is None:
        return Chapter("plans", "Other plans", [Statement(NOT_SEARCHED)])
    if isinstance(optimum, str):
        return Chapter("plans", "Other plans", [Statement(f"No plan can be compared: it needs {optimum}.", "open")])
    now, plans = optimum.current.burdens, optimum.front.plans
    said = "No plan that trains the same is certain to fit, has no error, and is better or as good."
    blocks: list[Statement | Listing | Drawing] = [_saving(optimum) if plans else Statement(said, "open")]
    if plans:
        blocks += [_drawing(now, plans), _table(now, plans)]
    blocks.append(Statement(f"Searched: {searched_text(optimum.front.searched, optimum.regions)}."))
    if optimum.front.rejected:
        blocks.append(
            Listing("Plans that are not recommended", ("Plans", "Why not"), by_reason(optimum.front.rejected))
        )
    unknown = "Quota and capacity of these types are not known: look them up before you start."
    return Chapter("plans", "Other plans", [*blocks, Statement(unknown)])


def _saving(optimum: Optimum) -> Statement:
    """What the cheapest plan saves, as expected; nothing is saved from a plan that cannot run."""
    now, plans = optimum.current, optimum.front.plans
    best = min(plans, key=lambda plan: plan.burdens.cost.expected).burdens.cost
    cheapest = f"The cheapest of {counted(len(plans), 'best plan')} is expected to cost "
    cheapest += str(Money(best.expected, best.currency))
    if now.verdict is Verdict.DOES_NOT_FIT or now.errors:
        why = "does not fit" if now.verdict is Verdict.DOES_NOT_FIT else f"has errors ({', '.join(now.errors)})"
        return Statement(f"{cheapest}. The current plan {why}.", "open")
    if now.burdens is None or now.burdens.cost.currency != best.currency:
        return Statement(f"{cheapest}.")
    saved = Money(now.burdens.cost.expected - best.expected, best.currency)
    if round(saved.amount, 2) <= 0:
        return Statement(f"{cheapest}: not less than the current one.")
    certain = best.high <= now.burdens.cost.low
    if certain:
        return Statement(f"{cheapest}: {saved} less than now, and certainly less.", "good")
    return Statement(f"{cheapest}: {saved} less than now. It is not certain to cost less, since the intervals overlap.")


def _drawing(now: Burdens | None, plans: tuple[Recommended, ...]) -> Drawing:
    taken = [(str(number), plan.burdens) for number, plan in enumerate(plans, 1)]
    if now is not None and now.cost.currency == plans[0].burdens.cost.currency:
        taken.append((CURRENT, now))
    unit = seconds_unit(max(one.time.total_seconds.expected for _, one in taken))
    values = [_point(name, one, unit) for name, one in taken]
    x = quantity("time", f"expected time in {unit.name}", scale={"zero": False})
    y = quantity("cost", f"expected cost in {plans[0].burdens.cost.currency}", scale={"zero": False})
    shown = {"condition": {"test": f"datum.name === '{CURRENT}'", "value": variable("bad")}}
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
    description = "A point for the expected time and cost of each plan, numbered as in the table, and the current one."
    return Drawing("The best plans", description, layered(points, names, height=260))


def _point(name: str, one: Burdens, unit: AxisUnit) -> dict[str, Any]:
    return {
        "name": name,
        "time": one.time.total_seconds.expected / unit.size,
        "cost": float(one.cost.expected),
    }


def _table(now: Burdens | None, plans: tuple[Recommended, ...]) -> Listing:
    rows = [(CURRENT, "as it is", *_figures(now), "")] if now is not None else []
    for number, plan in enumerate(plans, 1):
        change = Change(plan.change.kind, written(plan.change), plan.change.remark)
        settings = settings_text(change) if change.settings else "as it is"
        beside = "; ".join(filter(None, (distinctions(plan, plans), change.remark, ", ".join(plan.warnings))))
        rows.append((str(number), settings, *_figures(plan.burdens), beside))
    headings = ("Plan", "Settings", "Cost", "Time", "GPU memory certainly free", "Remark")
    return Listing("The best plans in cost, time and memory", headings, rows)


def _figures(one: Burdens) -> Iterator[str]:
    cost, time = one.cost, one.time.total_seconds
    yield f"{Money(cost.expected, cost.currency)} ({money_text(cost.low)} to {money_text(cost.high)})"
    yield f"{seconds_text(time.expected)} ({seconds_text(time.low)} to {seconds_text(time.high)})"
    yield f"{significant(100 * one.headroom, 2)} %"
