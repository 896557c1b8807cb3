"""A job at the service: what a submission starts and may cost, the calls that it makes, and the status of attempts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hbspec.analysis import Analysis
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.job.cost import hours, most_it_can_cost
from hbspec.render.lines import Line
from hbspec.render.plain_json import json_text
from hbspec.render.rows import Row, rows, section
from hbspec.source.excerpts import printable
from hbspec.units import Money, counted, interval_text, seconds_text

if TYPE_CHECKING:
    from hbspec.plan import UnitPrice
    from hbspec.service.job import SubmittedJob
    from hbspec.service.status import Status
    from hbspec.service.submission import ServiceCall


def submission_lines(job: SubmittedJob, analysis: Analysis, width: int | None = None) -> Iterator[Line]:
    """What is started, how long it is predicted to take, what it may cost, and where it writes."""
    yield from section("Job", width, printable(job.name))
    yield from rows(_promised(job, analysis), width)


def _promised(job: SubmittedJob, analysis: Analysis) -> Iterator[Row]:
    resources, limits = job.request["ResourceConfig"], job.request["StoppingCondition"]
    spot = "managed spot" if job.request.get("EnableManagedSpotTraining") else "on demand"
    machines = f"{resources['InstanceCount']} x {resources['InstanceType']}"
    yield "instances", machines, f"{job.region or 'the default region'}, {spot}"
    longest = f"stopped after {seconds_text(limits['MaxRuntimeInSeconds'])}"
    yield "time", _known(lambda: interval_text(analysis.time.total_seconds, seconds_text)), longest
    yield "cost", _known(lambda: _cost(analysis)), _budget(analysis)
    yield "at most", _known(lambda: str(most_it_can_cost(analysis.plan))), "until max_runtime, on demand"
    yield "source", job.code, f"{counted(len(job.source), 'file')}"
    yield "checkpoints", job.checkpoints, ""
    yield "model", job.request["OutputDataConfig"]["S3OutputPath"], ""
    if job.watched:
        yield "alarms", f"{counted(len(job.alarms), 'alarm')} and a dashboard", "billed until they are deleted"


def alternative_lines(analysis: Analysis, spec: str, width: int | None = None) -> Iterator[Line]:
    """What the job would cost on each of `instance.alternatives`, and how to submit it there.

    Args:
        analysis: of the spec.
        spec: the file's name.
        width: of the terminal.
    """
    others = [(name, other) for _, name, other in analysis.alternatives]
    if not others:
        yield (("", "hbspec: instance.alternatives names no other type; name some, or ask for a larger quota"),)
        return
    yield from section("Alternatives", width, "none is started by itself")
    yield from rows(((name, *_compared(other, analysis)) for name, other in others), width)
    given = f"--set instance.type={others[0][0]} --set instance.alternatives=[] --set instance.price=null"
    yield (("", f"next: hbspec submit {spec} {given}"),)


def _compared(other: Analysis, first: Analysis) -> tuple[str, str]:
    """The cost on another type, and how it compares with the first choice's."""
    try:
        costs = other.cost.expected, first.cost.expected
    except NotKnownError as reason:
        return f"cost not known: {reason}", ""
    than = "dearer than" if costs[0] > costs[1] else "not dearer than"
    return _cost(other), f"{than} {first.spec.instance.type}; {_budget(other)}"


def _known(text: Callable[[], str]) -> str:
    try:
        return text()
    except NotKnownError as reason:
        return f"not known: {reason}"


def _cost(analysis: Analysis) -> str:
    cost = analysis.cost
    low, expected, high = (str(Money(amount, cost.currency)) for amount in (cost.low, cost.expected, cost.high))
    return f"{low} to {high} (expected {expected})"


def _budget(analysis: Analysis) -> str:
    budget = analysis.spec.budget
    return f"budget {budget.max_cost}" if budget else "no budget is set"


def call_lines(calls: Iterable[ServiceCall]) -> Iterator[Line]:
    """Calls of the AWS API, one after the other; a small one on one line."""
    for call in calls:
        yield (("title", f"{call.service} {call.operation}"), ("", _parameters(call.parameters)))
        if _is_small(call.parameters):
            continue
        yield from ((("", f"  {line}"),) for line in json_text(call.parameters).splitlines())


def _is_small(parameters: dict[str, Any]) -> bool:
    return not any(isinstance(value, dict | list) for value in parameters.values())


def _parameters(parameters: dict[str, Any]) -> str:
    return "".join(f" {name}={value}" for name, value in parameters.items()) if _is_small(parameters) else ""


def status_lines(
    attempts: Iterable[Status], price: UnitPrice | None = None, width: int | None = None
) -> Iterator[Line]:
    """Each attempt: its phase, its times, and what was billed so far."""
    for attempt in attempts:
        phase = f" ({attempt.secondary})" if attempt.secondary not in ("", attempt.status) else ""
        style = {"Completed": "good", "Failed": "bad"}.get(attempt.status, "open")
        yield from section(printable(attempt.name), width, f"{attempt.status}{phase}", style)
        yield from rows(_told(attempt, price), width)


def _told(attempt: Status, price: UnitPrice | None) -> Iterator[Row]:
    if attempt.failure:
        yield "failure", printable(attempt.failure), ""
    yield "instances", f"{attempt.instances} x {attempt.instance_type}", ""
    if attempt.created:
        yield "submitted", attempt.created.isoformat(sep=" ", timespec="seconds"), ""
    for phase in attempt.phases:
        lasted = seconds_text(phase.seconds) if phase.seconds is not None else "since " + _time(phase.began)
        yield phase.name, lasted, printable(phase.message)
    if attempt.billable_seconds is not None:
        yield "billed", seconds_text(attempt.billable_seconds), _bill(attempt, price)
    if attempt.model:
        yield "model", printable(attempt.model), ""
    elif attempt.checkpoints:
        yield "checkpoints", printable(attempt.checkpoints), ""


def _bill(attempt: Status, price: UnitPrice | None) -> str:
    seconds = attempt.billable_seconds
    if price is None or seconds is None:
        return ""
    rate = price.rate
    return f"{Money(hours(seconds) * rate.per_hour * Decimal(attempt.instances), rate.currency)} at {rate} on demand"


def _time(time: Any) -> str:
    return time.isoformat(sep=" ", timespec="seconds") if time else "an unknown time"
