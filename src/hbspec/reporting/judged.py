"""The chapters on what was believed and what was found: claims, findings, and what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from hbspec.claims import Claim
from hbspec.diagnostics import Diagnostic, NotKnownError, Report, route_text
from hbspec.estimators.job.time import time
from hbspec.estimators.training.memory import memory
from hbspec.plan import Plan
from hbspec.plan.calibration import AppliedRecord
from hbspec.render.report import summary_text
from hbspec.reporting.chapter import Chapter, Listing, Statement
from hbspec.units import Interval, bytes_text, interval_text, seconds_text, significant

if TYPE_CHECKING:
    from hbspec.api import Estimates


NOT_MEASURED = "Nothing was measured: the spec names no record (`calibration.record`), which hbspec measure writes."


def claims_chapter(claims: Iterable[Claim]) -> Chapter:
    """Every claim of `expect`: believed, computed, verdict."""
    rows = [(claim.key, claim.believed, _computed(claim), claim.verdict) for claim in claims]
    if not rows:
        return Chapter("claims", "Claims", [Statement("The spec claims nothing (`expect`).")])
    confirmed = sum(verdict == "confirmed" for *_, verdict in rows)
    style = "good" if confirmed == len(rows) else "open"
    said = Statement(f"{confirmed} of {len(rows)} claims are confirmed.", style)
    table = Listing(
        "What the author believes, and what is computed", ("Claim", "Believed", "Computed", "Verdict"), rows
    )
    return Chapter("claims", "Claims", [said, table])


def _computed(claim: Claim) -> str:
    return claim.computed_text if claim.computed else f"not known: {claim.reason}"


def findings_chapter(report: Report) -> Chapter:
    """Every finding of `hbspec check`, and the rules that could not be checked."""
    blocks: list[Statement | Listing] = [findings_statement(report)]
    if report.diagnostics:
        headings = ("Severity", "Place", "Finding", "What to do")
        blocks.append(
            Listing("Findings of hbspec check", headings, [tuple(_finding(one)) for one in report.diagnostics])
        )
    if report.skipped:
        skipped = sorted(report.skipped.items())
        blocks.append(Listing("Rules that could not be checked", ("Rule", "Reason"), skipped))
    return Chapter("findings", "Findings", blocks)


def findings_statement(report: Report) -> Statement:
    """How many findings there are; errors keep it from being compiled."""
    style = "good" if report.ok and not report.diagnostics else "open" if report.ok else "bad"
    refused = "" if report.ok else ": hbspec compile refuses it"
    return Statement(f"hbspec check found {summary_text(report)}{refused}.", style)


def _finding(one: Diagnostic) -> Iterator[str]:
    yield one.severity.value
    place = f", line {one.span.start.line}" if one.span else ""
    yield f"{route_text(one.route) or 'the file'}{place}"
    yield f"{one.code} {one.name}: {one.message}"
    yield one.help


def measured_chapter(estimates: Estimates) -> Chapter:
    """What was measured beside what would be predicted without it."""
    plan = estimates.plan
    if plan.measured is None and plan.measured_tokens_per_second is None:
        return Chapter("measured", "Measured", [Statement(NOT_MEASURED)])
    predicted = plan._replace(measured=None, measured_tokens_per_second=None)
    blocks: list[Statement | Listing] = []
    if plan.measured is not None:
        blocks += _record(plan.measured)
    rows = [*_speed(plan, predicted), *(_memory(plan.measured, predicted) if plan.measured else ())]
    if rows:
        headings = ("Quantity", "Measured", "Predicted", "Measured lies")
        blocks.append(Listing("Measured beside predicted", headings, rows))
    return Chapter("measured", "Measured", blocks)


def _record(applied: AppliedRecord) -> Iterator[Statement]:
    found = applied.measurement
    ended = f" It ran out of memory {found.ran_out}." if found.ran_out else ""
    yield Statement(f"Measured on {found.day} on {found.gpu}, {len(found.updates)} timed updates.{ended}")
    for name, reasons in (("speed", applied.not_speed), ("memory", applied.not_memory)):
        if reasons:
            yield Statement(f"Its {name} does not apply to this job: {'; '.join(reasons)}.", "open")
        else:
            yield Statement(f"Its {name} replaces the estimate.", "good")


def _speed(plan: Plan, predicted: Plan) -> Iterator[tuple[str, str, str, str]]:
    """An update and its rate, where a measurement of them applies."""
    if plan.measured_tokens_per_second is None and not (plan.measured and plan.measured.speed):
        return
    try:
        ours, theirs = time(plan), time(predicted)
    except NotKnownError:
        return
    yield _beside("one update", ours.step_seconds, theirs.step_seconds, seconds_text)
    rates = ours.tokens_per_second_per_gpu, theirs.tokens_per_second_per_gpu
    yield _beside("tokens per second per GPU", *rates, significant)


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
            yield f"GPU {measured.gpu}: {name}", bytes_text(size), said, _lies(size, interval)


def _beside(name: str, ours: Interval, theirs: Interval, said: Callable[[float], str]) -> tuple[str, str, str, str]:
    return name, interval_text(ours, said), interval_text(theirs, said), _lies(ours.expected, theirs)


def _lies(measured: float, predicted: Interval) -> str:
    """Where a measured value lies, beside the predicted interval."""
    if measured < predicted.low:
        return "below"
    return "above" if measured > predicted.high else "within"
