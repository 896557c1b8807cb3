"""`max_runtime` lets the job spend more than the budget.

Why: Only `max_runtime` stops a job that hangs or runs slower than planned. A limit that costs more than the budget
does not protect it.

Example:

    instance: {max_runtime: 24h}

Instead:

    instance: {max_runtime: 20h}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StoppingCondition.html
    https://github.com/skypilot-org/skypilot/issues/8766
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Fix, NotKnownError, Severity
from hbspec.estimators.job.cost import affordable_seconds, most_it_can_cost
from hbspec.estimators.job.runtime import running_seconds
from hbspec.rules.rule import Rule
from hbspec.spec.sections import Instance
from hbspec.units import HOUR, Interval, Rate, interval_text, seconds_text

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding where limit x price x instances exceeds the budget: a warning for spot, whose price may be lower."""
    plan, budget = analysis.plan, analysis.spec.budget
    if budget is None or plan.max_runtime is None:
        return
    longest = affordable_seconds(plan, budget.max_cost)
    if Decimal(str(plan.max_runtime)) <= longest:
        return
    hourly, most = most_it_can_cost(plan._replace(max_runtime=HOUR)), most_it_can_cost(plan)
    instances = plan.require("hardware").instances
    rate = Rate(hourly.amount / instances, hourly.currency)
    said = f"{seconds_text(plan.max_runtime)} x {rate}{f' x {instances} instances' if instances > 1 else ''}"
    action, fixes = _action(float(longest), _takes(analysis))
    yield RULE.at(
        ("instance", "max_runtime"),
        f"max_runtime allows {said} = {most}, above the budget of {budget.max_cost}",
        action,
        severity=Severity.WARNING if plan.spot else Severity.ERROR,
        confidence=Confidence.LIKELY if plan.spot else Confidence.CERTAIN,
        fixes=fixes,
        instead=_as_long_as_it_waits(analysis.spec.instance),
    )


def _takes(analysis: Analysis) -> Interval | None:
    """The predicted running time in seconds; None if it is not known."""
    try:
        return running_seconds(analysis.time)
    except NotKnownError:
        return None


def _as_long_as_it_waits(instance: Instance) -> tuple[Fix, ...]:
    return (Fix("", ("instance", "max_runtime"), f"{instance.max_wait:.0f}s"),) if instance.max_wait else ()


def _action(longest: float, takes: Interval | None) -> tuple[str, tuple[Fix, ...]]:
    """The help and its fix: the longest limit that the budget pays for, unless the job may need more."""
    minutes = int(longest // 60)
    text = f"{minutes // 60}h{minutes % 60:02}m" if minutes >= 60 else f"{minutes}m"
    if takes is not None and takes.high > 60 * minutes:
        said = f"the job is predicted to take {interval_text(takes, seconds_text)}"
        more = f"train less, or raise budget.max_cost: {said}, the budget pays for {seconds_text(longest)}"
        ends = minutes and takes.expected <= 60 * minutes
        return f"{more}; or lower max_runtime to {text}, in which it is expected to end" if ends else more, ()
    if not minutes:
        return "raise budget.max_cost: it does not pay for a minute", ()
    fix = Fix(f"lower max_runtime to {text}", ("instance", "max_runtime"), text)
    return f"{fix.title}, the longest that the budget pays for", (fix,)
