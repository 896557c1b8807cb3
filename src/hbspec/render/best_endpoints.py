"""The best endpoints of a spec: what each changes, what it takes and holds, and why the others are not among them."""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis.change import Change
from hbspec.render.lines import Line, wrapped
from hbspec.render.memory import VERDICTS
from hbspec.render.optimum import SHOWN, rejected_lines
from hbspec.render.rows import LEAD, section
from hbspec.render.settings import settings_text
from hbspec.search.best_endpoints import BestEndpoints, EndpointBurdens, RecommendedEndpoint
from hbspec.search.written import written
from hbspec.units import Money, count_text, interval_text, money_text, seconds_text

HEADINGS = {"cost": "the cheapest first", "time": "the fastest first", "headroom": "the roomiest first"}


def best_endpoints_lines(best: BestEndpoints, width: int | None) -> Iterator[Line]:
    """The current endpoint, the best ones, and the number of rejected ones by reason."""
    now, plans = best.current, best.plans
    yield from section("Current endpoint", width, *VERDICTS[now.verdict])
    figures = ", ".join(_figures(now.burdens)) if now.burdens else "its cost, its speed or what it holds is not known"
    yield from _indented(figures, 1, width)
    if now.errors:
        yield from _indented(f"errors: {', '.join(now.errors)}", 1, width, "bad")
    heading = HEADINGS[best.request.objective] if plans else "none"
    yield from section("Best endpoints", width, heading, "faint")
    for plan in plans[:SHOWN]:
        yield from _plan(plan, best, width)
    if len(plans) > SHOWN:
        yield from _indented(f"and {len(plans) - SHOWN} more, which --format json prints", 1, width, "faint")
    if not plans:
        yield from _nearest(best, width)
    yield from rejected_lines(best.rejected, best.searched, best.regions, width, "endpoint")


def _nearest(best: BestEndpoints, width: int | None) -> Iterator[Line]:
    said = f"no endpoint serves the same within these conditions in {', '.join(best.regions) or 'a region'}"
    yield from _indented(said, 1, width)
    if best.nearest is not None:
        yield from section("Nearest endpoint", width, f"without {best.nearest[0]}", "faint")
        yield from _plan(best.nearest[1], best, width)


def _plan(plan: RecommendedEndpoint, best: BestEndpoints, width: int | None) -> Iterator[Line]:
    change = Change(plan.change.kind, written(plan.change), plan.change.remark)
    yield from _indented(settings_text(change) if change.settings else "as it is", 1, width, "title")
    new = [code for code in plan.warnings if code not in best.current.warnings]
    beside = (change.remark, f"warnings {', '.join(new)}" if new else "")
    yield from _indented("; ".join((", ".join(_figures(plan.burdens)), *filter(None, beside))), 2, width)


def _figures(burdens: EndpointBurdens) -> Iterator[str]:
    hourly = burdens.hourly
    low, high = money_text(hourly.low), money_text(hourly.high)
    spread = "" if low == high else f" ({low} to {high})"
    yield f"{Money(hourly.expected, hourly.currency)} per hour{spread}"
    yield f"an answer takes {interval_text(burdens.latency, seconds_text)}"
    yield f"certainly holds {count_text(burdens.holds)} of the longest requests at once"


def _indented(text: str, depth: int, width: int | None, style: str = "") -> Iterator[Line]:
    yield from wrapped(((style, f"{depth * LEAD}{text}"),), width, 2 * len(LEAD))
