"""The best plans of a spec: what each changes, what it takes, and why the others are not among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hbspec.analysis.change import Change
from hbspec.diagnostics import route_text
from hbspec.estimators.job.cost import Cost
from hbspec.estimators.verdict import Verdict
from hbspec.language import english, number_text, phrase, spoken
from hbspec.manual import page_of
from hbspec.render.lines import Line, wrapped
from hbspec.render.memory import VERDICTS
from hbspec.render.rows import LEAD, rows, section
from hbspec.render.settings import settings_text
from hbspec.search.burden import Burdens
from hbspec.search.judging import UNCERTAIN, Recommended
from hbspec.search.limits import limit_texts
from hbspec.search.optimize import Current, Nearest, Optimum, is_of_no_plan
from hbspec.search.written import duration, written
from hbspec.units import Interval, Money, counted, interval_text, money_text, seconds_text, significant

SHOWN = 8
"""Plans that are printed; all are in the JSON."""

NAMED = 4
"""Regions that are named."""

REASONS: Mapping[str, str] = {
    "beaten": "beaten in cost, time and headroom by a plan above, or as good",
    "memory": "do not fit on the GPU",
    "tight": "may not fit on the GPU",
    "host_memory": "may not fit in the host's memory",
    "disk": "may not fit on the disk",
    "price": "have no known price",
    "served_otherwise": "serve in another dtype, such as float16 (see --allow)",
    "other_training": "train otherwise, such as in float16 (see --allow)",
    "max_cost": "may cost more than --max-cost",
    "max_time": "may take longer than --max-time",
    "not_known": "need a figure that is not known",
}
"""What is said of rejected plans, by the reason."""


def optimum_lines(optimum: Optimum, width: int | None) -> Iterator[Line]:
    """The current plan, the best plans, and the number of rejected plans by reason."""
    now, plans = optimum.current, optimum.front.plans
    yield from section("Current plan", width, *VERDICTS[now.verdict])
    yield from _current(now, width)
    heading = {"cost": "the cheapest first", "time": "the fastest first", "headroom": "the roomiest first"}
    yield from section("Best plans", width, heading[optimum.request.objective] if plans else "none", "faint")
    shown = _shown(plans)
    for plan in shown:
        yield from _plan(plan, distinctions(plan, plans), now, width)
    if len(plans) > len(shown):
        more = f"and {len(plans) - len(shown)} more, which --format json prints"
        yield from wrapped((("faint", f"{LEAD}{more}"),), width, 2 * len(LEAD))
    if not plans:
        yield from _nearest(optimum, width)
    found = optimum.front
    yield from rejected_lines(found.rejected, found.searched, optimum.regions, width)


def _nearest(optimum: Optimum, width: int | None) -> Iterator[Line]:
    """What would do where no plan does."""
    said = f"no plan trains the same within these conditions in {_places(optimum.regions)}"
    lasting = next(filter(is_of_no_plan, optimum.front.rejected), None)
    if lasting is not None:
        said = f"{lasting} is an error under every plan: correct it first, as `hbspec check` says"
    elif optimum.current.verdict is Verdict.FITS and optimum.current.errors:
        said += f"; the current plan fits, but for {', '.join(map(_reason, optimum.current.errors))}: "
        said += "`hbspec check` says what to change"
    yield from wrapped((("", f"{LEAD}{said}"),), width, 2 * len(LEAD))
    if optimum.nearest is not None:
        yield from section("Nearest plan", width, f"without {optimum.nearest.without}", "faint")
        yield from _plan(optimum.nearest.plan, "", optimum.current, width)
        if open_ := ", ".join(_not_certain(optimum.nearest.plan)):
            yield from wrapped((("open", f"{2 * LEAD}not certain: {open_}"),), width, 2 * len(LEAD))
        if limits := " and ".join(_passing(optimum.nearest)):
            yield from wrapped((("open", f"{2 * LEAD}it passes with {limits}"),), width, 2 * len(LEAD))
    elif optimum.priced:
        action = f"search {', '.join(optimum.priced)} with --regions, or set instance.price"
        yield from wrapped((("", f"{LEAD}no price is known there: {action}"),), width, 2 * len(LEAD))


def _passing(nearest: Nearest) -> Iterator[str]:
    """The limits to set, each with what it is now."""
    instance, budget = nearest.written.instance, nearest.written.budget
    now = {
        "instance.max_runtime": instance.max_runtime and duration(instance.max_runtime),
        "instance.max_wait": instance.max_wait and duration(instance.max_wait),
        "budget.max_cost": budget and str(budget.max_cost),
    }
    for route, text in limit_texts(nearest.limits).items():
        yield f"{route_text(route)}={text} ({now[route_text(route)] or 'not set'} now)"


def _not_certain(plan: Recommended) -> Iterator[str]:
    """The rules that say why a plan is not certain to run."""
    if plan.analysis.memory_verdict is not Verdict.FITS:
        yield _reason("HB109")
    yield from (_reason(code) for code in plan.warnings if code in UNCERTAIN)


def rejected_lines(
    rejected: Mapping[str, int],
    searched: Mapping[str, int],
    regions: Sequence[str],
    width: int | None,
    noun: str = "plan",
) -> Iterator[Line]:
    """The number of plans searched, and of those rejected by reason."""
    yield from section("Not recommended", width, f"of {searched_text(searched, regions, noun)}", "faint")
    yield from rows(((number, "", reason) for number, reason in by_reason(rejected)), width)
    unknown = "quota and capacity of these types are not known: look them up before you start"
    yield from wrapped((("faint", f"{LEAD}{unknown}"),), width, 2 * len(LEAD))


def searched_text(searched: Mapping[str, int], regions: Sequence[str], noun: str = "plan") -> str:
    """How many plans there are and where, and how many of them were estimated and judged."""
    return phrase(
        "{plans} in {places}; {estimated} estimated, {judged} judged",
        plans=counted(searched["plans"], noun),
        places=_places(regions),
        estimated=number_text(f"{searched['estimated']:,}"),
        judged=number_text(f"{searched['judged']:,}"),
    )


def by_reason(rejected: Mapping[str, int]) -> list[tuple[str, str]]:
    """The number of rejected plans with the reason, the most frequent first."""
    found = sorted(rejected.items(), key=lambda entry: (-entry[1], entry[0]))
    return [(number_text(f"{number:,}"), _reason(reason)) for reason, number in found]


def _places(regions: Sequence[str]) -> str:
    """The regions by name, or their number where there are many."""
    if len(regions) > NAMED:
        return counted(len(regions), "region")
    return ", ".join(regions) or phrase("no region")


def _reason(reason: str) -> str:
    if reason in REASONS:
        return spoken(REASONS[reason])
    page = page_of(reason)
    return english(f"{reason} {page.name}" if page else reason)


def _current(now: Current, width: int | None) -> Iterator[Line]:
    figures = ", ".join(_figures(now.burdens, None)) if now.burdens else "its time or cost is not known"
    yield from wrapped((("", f"{LEAD}{figures}"),), width, 2 * len(LEAD))
    if now.may_be_stopped:
        said = "cost and time are those to its end; max_runtime may stop it earlier"
        yield from wrapped((("open", f"{LEAD}{said}"),), width, 2 * len(LEAD))
    if now.errors:
        yield from wrapped((("bad", f"{LEAD}errors: {', '.join(now.errors)}"),), width, 2 * len(LEAD))


def _shown(plans: tuple[Recommended, ...]) -> list[Recommended]:
    """The first plans, with those that are the best of all in something among them."""
    best = [plan for plan in plans if distinctions(plan, plans)]
    others = [plan for plan in plans if plan not in best][: SHOWN - len(best)]
    return [plan for plan in plans if plan in best or plan in others]


def _plan(plan: Recommended, why: str, now: Current, width: int | None) -> Iterator[Line]:
    change = Change(plan.change.kind, written(plan.change), plan.change.remark)
    title = settings_text(change) if change.settings else "as it is"
    yield from wrapped((("title", f"{LEAD}{title}"),), width, 2 * len(LEAD))
    figures = ", ".join(_figures(plan.burdens, now.burdens))
    new = [code for code in plan.warnings if code not in now.warnings]
    beside = "; ".join(filter(None, (change.remark, claims_lost(plan), f"warnings {', '.join(new)}" if new else "")))
    line: Line = (
        ("", 2 * LEAD),
        ("good", f"{why}: " if why else ""),
        ("", figures),
        ("faint", f"; {beside}" if beside else ""),
    )
    yield from wrapped(line, width, 2 * len(LEAD))


def claims_lost(plan: Recommended) -> str:
    """The author's claims that may not hold under a plan."""
    return phrase("claims that may not hold: {claims}", claims=", ".join(plan.claims)) if plan.claims else ""


def distinctions(plan: Recommended, plans: tuple[Recommended, ...]) -> str:
    """Of what it is the best of all."""
    best = {
        "cheapest": min(plans, key=lambda one: one.burdens.cost.expected),
        "fastest": min(plans, key=lambda one: one.burdens.time.total_seconds.expected),
        "roomiest": max(plans, key=lambda one: one.burdens.headroom),
    }
    return ", ".join(spoken(name) for name, one in best.items() if one is plan)


def _figures(then: Burdens, now: Burdens | None) -> Iterator[str]:
    cost, time = then.cost, then.time.total_seconds
    spent = f"{money_text(cost.low)} to {money_text(cost.high)} {cost.currency}"
    yield f"{spent} (expected {Money(cost.expected, cost.currency)}{_saved(now and now.cost, cost)})"
    share = _longer(now.time.total_seconds, time) if now else ""
    yield f"{interval_text(time, seconds_text)}{share}"
    free = f"{significant(100 * then.headroom, 2)} %" if then.headroom > 0 else "nothing"
    yield f"{free} of the GPU certainly free of tensors"


def _saved(now: Cost | None, then: Cost) -> str:
    """What is saved as expected, and that it may not be where the bills overlap."""
    if now is None or round(now.expected - then.expected, 2) == 0:
        return ""
    size = money_text(abs(now.expected - then.expected))
    if then.expected > now.expected:
        return f", {size} more"
    return f", {size} less, but may cost more" if then.high > now.low else f", {size} less"


def _longer(now: Interval, then: Interval) -> str:
    share = 100 * (then.expected / now.expected - 1)
    return f", {significant(abs(share), 2)} % {'longer' if share > 0 else 'shorter'}" if abs(share) >= 0.1 else ""
