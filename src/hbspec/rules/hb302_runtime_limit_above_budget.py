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
from dataclasses import replace
from decimal import Decimal

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Fix, Severity, known
from hbspec.estimators.cost import most_it_can_cost
from hbspec.rules.rule import Rule
from hbspec.units import HOUR, Rate, seconds_text

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """The limit x the price x the instances against the budget; with spot the price is only the highest possible."""
    plan, budget = analysis.plan, analysis.spec.budget
    if budget is None or plan.max_runtime is None:
        return
    hourly, most = most_it_can_cost(replace(plan, max_runtime=HOUR)), most_it_can_cost(plan)
    if hourly.amount * Decimal(str(plan.max_runtime)) <= budget.max_cost.amount * Decimal(str(HOUR)):
        return
    instances = known(plan.hardware, "the hardware").instances
    rate = Rate(hourly.amount / instances, hourly.currency)
    fixes = _longest(int(60 * budget.max_cost.amount / hourly.amount))
    yield RULE.at(
        ("instance", "max_runtime"),
        f"{seconds_text(plan.max_runtime)} x {rate}{f' x {instances} instances' if instances > 1 else ''} = {most}, "
        f"above the budget of {budget.max_cost}",
        f"{fixes[0].title}, the longest within the budget" if fixes else "raise budget.max_cost above a minute's price",
        severity=Severity.WARNING if plan.spot else Severity.ERROR,
        confidence=Confidence.LIKELY if plan.spot else Confidence.CERTAIN,
        fixes=fixes,
    )


def _longest(minutes: int) -> tuple[Fix, ...]:
    """The longest limit that the budget pays for, if it pays for a minute."""
    text = f"{minutes // 60}h{minutes % 60:02}m" if minutes >= 60 else f"{minutes}m"
    return (Fix(f"lower max_runtime to {text}", ("instance", "max_runtime"), text),) if minutes else ()
