"""The verdict on a spec in one sentence, for those who approve it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hbspec.claims import CONFIRMED, CONTRADICTED
from hbspec.diagnostics import Report, Severity
from hbspec.language import number_text, phrase
from hbspec.render.answer import answer
from hbspec.reporting.chapter import Statement
from hbspec.showing.scalars import listed
from hbspec.units import counted

if TYPE_CHECKING:
    from hbspec.api import Estimates


def verdict(estimates: Estimates, report: Report) -> Statement:
    """Whether the plan can be approved, and what speaks against it or is not known: the worst first."""
    against = list(_against(estimates, report))
    if against:
        return Statement(phrase("Not ready: {reasons}.", reasons=listed(against)), "bad")
    doubts = list(_doubts(estimates, report))
    if doubts:
        return Statement(phrase("Ready, but not certain: {reasons}.", reasons=listed(doubts)), "open")
    ready = phrase("Ready: the job fits and keeps its budget, and no finding or claim speaks against it.")
    return Statement(ready, "good")


def _against(estimates: Estimates, report: Report) -> Iterator[str]:
    """What keeps the job from running as planned."""
    yield from _fitting(estimates, "bad")
    cost, budget = estimates.cost, estimates.analysis.spec.budget
    if cost and budget and budget.max_cost.currency == cost.currency and cost.low > budget.max_cost.amount:
        yield phrase("it costs more than its budget")
    if errors := report.count(Severity.ERROR):
        yield phrase("hbspec check found {findings}", findings=counted(errors, "error"))
    if contradicted := sum(claim.verdict == CONTRADICTED for claim in estimates.claims):
        yield (
            phrase("1 claim of the author is contradicted")
            if contradicted == 1
            else phrase("{number} claims of the author are contradicted", number=number_text(f"{contradicted:,}"))
        )


def _doubts(estimates: Estimates, report: Report) -> Iterator[str]:
    """What may keep it from that, and what nobody knows."""
    yield from _fitting(estimates, "open")
    if estimates.analysis.spec.deployment is not None and estimates.serving is None:
        yield phrase("its endpoint is not known")
    if estimates.time is None:
        yield phrase("how long it takes is not known")
    elif estimates.time.may_be_stopped:
        expected = estimates.time.stopped_at("expected")
        yield phrase("max_runtime is expected to stop it") if expected else phrase("max_runtime may stop it")
    yield from _of_money(estimates)
    if warnings := report.count(Severity.WARNING):
        yield phrase("hbspec check found {findings}", findings=counted(warnings, "warning"))
    if report.skipped:
        yield phrase("{rules} could not be checked", rules=counted(len(report.skipped), "rule"))
    if open_claims := sum(claim.verdict not in (CONFIRMED, CONTRADICTED) for claim in estimates.claims):
        yield (
            phrase("1 claim of the author is not confirmed")
            if open_claims == 1
            else phrase("{number} claims of the author are not confirmed", number=number_text(f"{open_claims:,}"))
        )


def _of_money(estimates: Estimates) -> Iterator[str]:
    cost, budget = estimates.cost, estimates.analysis.spec.budget
    if cost is None:
        yield phrase("what it costs is not known")
    elif budget is None:
        yield phrase("the spec sets no budget")
    elif budget.max_cost.currency != cost.currency:
        yield phrase("its cost and its budget are in two currencies")
    elif cost.high > budget.max_cost.amount:
        yield phrase("it may cost more than its budget")


def _fitting(estimates: Estimates, style: str) -> Iterator[str]:
    """Of the job with its host, and of the endpoint, what is said in one style."""
    memory, _, _, *endpoint = answer(estimates)
    yield from (_within(said.answer) for said in (memory, *endpoint) if said.style == style)


def _within(sentence: str) -> str:
    """A sentence as a part of another."""
    return sentence[:1].lower() + sentence[1:]
