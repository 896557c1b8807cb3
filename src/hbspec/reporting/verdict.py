"""The verdict on a spec in one sentence, for those who approve it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hbspec.claims import CONFIRMED, CONTRADICTED
from hbspec.diagnostics import Report, Severity
from hbspec.render.answer import answer
from hbspec.reporting.chapter import Statement
from hbspec.units import counted

if TYPE_CHECKING:
    from hbspec.api import Estimates


def verdict(estimates: Estimates, report: Report) -> Statement:
    """Whether the plan can be approved, and what speaks against it or is not known: the worst first."""
    against = list(_against(estimates, report))
    if against:
        return Statement(f"Not ready: {_listed(against)}.", "bad")
    doubts = list(_doubts(estimates, report))
    if doubts:
        return Statement(f"Ready, but not certain: {_listed(doubts)}.", "open")
    return Statement("Ready: the job fits and keeps its budget, and no finding or claim speaks against it.", "good")


def _against(estimates: Estimates, report: Report) -> Iterator[str]:
    """What keeps the job from running as planned."""
    yield from _fitting(estimates, "bad")
    cost, budget = estimates.cost, estimates.analysis.spec.budget
    if cost and budget and budget.max_cost.currency == cost.currency and cost.low > budget.max_cost.amount:
        yield "it costs more than its budget"
    if errors := report.count(Severity.ERROR):
        yield f"hbspec check found {counted(errors, 'error')}"
    if contradicted := sum(claim.verdict == CONTRADICTED for claim in estimates.claims):
        yield f"{counted(contradicted, 'claim')} of the author {'is' if contradicted == 1 else 'are'} contradicted"


def _doubts(estimates: Estimates, report: Report) -> Iterator[str]:
    """What may keep it from that, and what nobody knows."""
    yield from _fitting(estimates, "open")
    if estimates.analysis.spec.deployment is not None and estimates.serving is None:
        yield "its endpoint is not known"
    if estimates.time is None:
        yield "how long it takes is not known"
    elif estimates.time.may_be_stopped:
        yield "max_runtime may stop it"
    yield from _of_money(estimates)
    if warnings := report.count(Severity.WARNING):
        yield f"hbspec check found {counted(warnings, 'warning')}"
    if report.skipped:
        yield f"{counted(len(report.skipped), 'rule')} could not be checked"
    if open_claims := sum(claim.verdict not in (CONFIRMED, CONTRADICTED) for claim in estimates.claims):
        yield f"{counted(open_claims, 'claim')} of the author {'is' if open_claims == 1 else 'are'} not confirmed"


def _of_money(estimates: Estimates) -> Iterator[str]:
    cost, budget = estimates.cost, estimates.analysis.spec.budget
    if cost is None:
        yield "what it costs is not known"
    elif budget is None:
        yield "the spec sets no budget"
    elif budget.max_cost.currency != cost.currency:
        yield "its cost and its budget are in two currencies"
    elif cost.high > budget.max_cost.amount:
        yield "it may cost more than its budget"


def _fitting(estimates: Estimates, style: str) -> Iterator[str]:
    """Of the job with its host, and of the endpoint, what is said in one style."""
    memory, _, _, *endpoint = answer(estimates)
    yield from (_within(said.answer) for said in (memory, *endpoint) if said.style == style)


def _within(sentence: str) -> str:
    """A sentence as a part of another."""
    return sentence[:1].lower() + sentence[1:]


def _listed(parts: list[str]) -> str:
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last
