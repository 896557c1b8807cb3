"""The runtime limit lets the job spend more than the budget.

Why: `max_runtime` is the only thing that stops a job which hangs or runs slower than planned. A limit that costs more
than the budget guards nothing.

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
from hbspec.diagnostics import Confidence, Finding, Fix, Severity, known
from hbspec.estimate.cost import hours, most_it_can_cost
from hbspec.rules.rule import Rule
from hbspec.units import Rate, seconds_text

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """The limit x the price x the instances against the budget; with spot the price is only the highest possible."""
    plan, budget = analysis.plan, analysis.spec.budget
    if budget is None or plan.max_runtime is None:
        return
    most, limit = most_it_can_cost(plan), hours(plan.max_runtime)
    if most.amount <= budget.max_cost.amount:
        return
    instances = known(plan.hardware, "the hardware").instances
    hourly = Rate(most.amount / limit / instances, most.currency)
    action, fixes = _within(limit * budget.max_cost.amount / most.amount)
    yield RULE.at(
        ("instance", "max_runtime"),
        f"{seconds_text(plan.max_runtime)} x {hourly}{f' x {instances} instances' if instances > 1 else ''} = {most}, "
        f"above the budget of {budget.max_cost}",
        action,
        severity=Severity.WARNING if plan.spot else Severity.ERROR,
        confidence=Confidence.LIKELY if plan.spot else Confidence.CERTAIN,
        fixes=fixes,
    )


def _within(longest: Decimal) -> tuple[str, tuple[Fix, ...]]:
    """The longest limit, in hours, that the budget pays for, cut to whole minutes."""
    minutes = int(longest * 60)
    if not minutes:
        return "raise budget.max_cost: it does not pay for a minute", ()
    limit = f"{minutes // 60}h{minutes % 60:02}m" if minutes >= 60 else f"{minutes}m"
    fix = Fix(f"lower it to {limit}", ("instance", "max_runtime"), limit)
    return f"lower max_runtime to {limit}, the longest within the budget", (fix,)
