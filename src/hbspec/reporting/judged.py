"""The chapters on what was believed and what was found: claims, findings, and what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from hbspec.claims import CONFIRMED, Claim
from hbspec.diagnostics import Diagnostic, NotKnownError, Report, route_text
from hbspec.estimators.job.time import time
from hbspec.estimators.training.memory import memory
from hbspec.language import day_text, english, phrase, spoken, together
from hbspec.plan import Plan
from hbspec.plan.calibration import AppliedRecord
from hbspec.render.report import summary_text
from hbspec.reporting.chapter import Chapter, Listing, Statement, untranslated
from hbspec.units import Interval, bytes_text, interval_text, seconds_text, significant

if TYPE_CHECKING:
    from hbspec.api import Estimates


def claims_chapter(claims: Iterable[Claim]) -> Chapter:
    """Every claim of `expect`: believed, computed, verdict."""
    claims, title = tuple(claims), phrase("Claims")
    if not claims:
        return Chapter("claims", title, [Statement(phrase("The spec claims nothing (`expect`)."))])
    confirmed = sum(claim.verdict == CONFIRMED for claim in claims)
    style = "good" if confirmed == len(claims) else "open"
    said = phrase("{confirmed} of {number} claims are confirmed.", confirmed=confirmed, number=len(claims))
    rows = [(claim.key, claim.believed, _computed(claim), spoken(claim.verdict)) for claim in claims]
    headings = tuple(map(spoken, ("Claim", "Believed", "Computed", "Verdict")))
    table = Listing(phrase("What the author believes, and what is computed"), headings, rows)
    return Chapter("claims", title, [Statement(said, style), table])


def _computed(claim: Claim) -> str:
    return claim.computed_text if claim.computed else phrase("not known: {reason}", reason=spoken(claim.reason))


def findings_chapter(report: Report) -> Chapter:
    """Every finding of `hbspec check`, and the rules that could not be checked."""
    blocks: list[Statement | Listing] = [findings_statement(report)]
    if report.diagnostics:
        blocks += untranslated()
        headings = tuple(map(spoken, ("Severity", "Place", "Finding", "What to do")))
        found = [tuple(_finding(one)) for one in report.diagnostics]
        blocks.append(Listing(phrase("Findings of hbspec check"), headings, found))
    if report.skipped:
        skipped = [(code, spoken(reason)) for code, reason in sorted(report.skipped.items())]
        headings = (phrase("Rule"), phrase("Reason"))
        blocks.append(Listing(phrase("Rules that could not be checked"), headings, skipped))
    return Chapter("findings", phrase("Findings"), blocks)


def findings_statement(report: Report) -> Statement:
    """How many findings there are; errors keep it from being compiled."""
    style = "good" if report.ok and not report.diagnostics else "open" if report.ok else "bad"
    summary = summary_text(report)
    if report.ok:
        return Statement(phrase("hbspec check found {summary}.", summary=summary), style)
    return Statement(phrase("hbspec check found {summary}: hbspec compile refuses it.", summary=summary), style)


def _finding(one: Diagnostic) -> Iterator[str]:
    yield spoken(one.severity.value)
    line = phrase(", line {number}", number=one.span.start.line) if one.span else ""
    yield together(route_text(one.route) or phrase("the file"), line)
    yield english(f"{one.code} {one.name}: {one.message}")
    yield english(one.help)


def measured_chapter(estimates: Estimates) -> Chapter:
    """What was measured beside what would be predicted without it."""
    plan = estimates.plan
    if plan.measured is None and plan.measured_tokens_per_second is None:
        nothing = "Nothing was measured: the spec names no record (`calibration.record`), which hbspec measure writes."
        return Chapter("measured", phrase("Measured"), [Statement(spoken(nothing))])
    predicted = plan._replace(measured=None, measured_tokens_per_second=None)
    blocks: list[Statement | Listing] = []
    if plan.measured is not None:
        blocks += _record(plan.measured)
    rows = [*_speed(plan, predicted), *(_memory(plan.measured, predicted) if plan.measured else ())]
    if rows:
        headings = tuple(map(spoken, ("Quantity", "Measured", "Predicted", "Measured lies")))
        blocks.append(Listing(phrase("Measured beside predicted"), headings, rows))
    return Chapter("measured", phrase("Measured"), blocks)


def _record(applied: AppliedRecord) -> Iterator[Statement]:
    found = applied.measurement
    measured = phrase(
        "Measured on {day} on {gpu}, {number} timed updates.",
        day=day_text(found.day),
        gpu=found.gpu,
        number=len(found.updates),
    )
    ended = phrase(" It ran out of memory {moment}.", moment=spoken(found.ran_out)) if found.ran_out else ""
    yield Statement(together(measured, ended))
    if applied.not_speed:
        reasons = english("; ".join(applied.not_speed))
        yield Statement(phrase("Its speed does not apply to this job: {reasons}.", reasons=reasons), "open")
    else:
        yield Statement(phrase("Its speed replaces the estimate."), "good")
    if applied.not_memory:
        reasons = english("; ".join(applied.not_memory))
        yield Statement(phrase("Its memory does not apply to this job: {reasons}.", reasons=reasons), "open")
    else:
        yield Statement(phrase("Its memory replaces the estimate."), "good")


def _speed(plan: Plan, predicted: Plan) -> Iterator[tuple[str, str, str, str]]:
    """An update and its rate, where a measurement of them applies."""
    if plan.measured_tokens_per_second is None and not (plan.measured and plan.measured.speed):
        return
    try:
        ours, theirs = time(plan), time(predicted)
    except NotKnownError:
        return
    yield _beside(phrase("one update"), ours.step_seconds, theirs.step_seconds, seconds_text)
    rates = ours.tokens_per_second_per_gpu, theirs.tokens_per_second_per_gpu
    yield _beside(phrase("tokens per second per GPU"), *rates, significant)


def _memory(applied: AppliedRecord, predicted: Plan) -> Iterator[tuple[str, str, str, str]]:
    """Each GPU of a record whose memory applies."""
    if not applied.memory:
        return
    try:
        devices = {device.index: device for device in memory(predicted).devices}
    except NotKnownError:
        return
    for measured in applied.measurement.devices:
        device = devices.get(measured.gpu)
        if device is None:
            continue
        for name, size, interval in (
            ("allocated", measured.allocated, device.peak_allocated),
            ("reserved", measured.reserved, device.peak_reserved),
            ("process", measured.process, device.process),
        ):
            said = interval_text(interval, bytes_text)
            yield (
                phrase("GPU {number}: {size}", number=measured.gpu, size=spoken(name)),
                bytes_text(size),
                said,
                _lies(size, interval),
            )


def _beside(name: str, ours: Interval, theirs: Interval, said: Callable[[float], str]) -> tuple[str, str, str, str]:
    return name, interval_text(ours, said), interval_text(theirs, said), _lies(ours.expected, theirs)


def _lies(measured: float, predicted: Interval) -> str:
    """Where a measured value lies, beside the predicted interval."""
    if measured < predicted.low:
        return phrase("below")
    return phrase("above") if measured > predicted.high else phrase("within")
