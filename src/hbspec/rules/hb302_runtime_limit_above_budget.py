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
from hbspec.rules.rule import Rule
from hbspec.units import HOUR, Money, Rate, seconds_text

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """The limit x the price x the instances against the budget; with spot the price is only the highest possible."""
    plan, budget, count = analysis.plan, analysis.spec.budget, analysis.spec.instance.count
    if budget is None or plan.max_runtime is None:
        return
    price = known(plan.price, "a price of the instance").rate
    hourly = plan.currencies.convert(Money(price.per_hour, price.currency))
    most = Money(hourly.amount * count * Decimal(plan.max_runtime / HOUR), hourly.currency)
    if most.amount <= budget.max_cost.amount:
        return
    instances = f" x {count} instances" if count > 1 else ""
    fixes, action = _within(budget.max_cost.amount / (hourly.amount * count))
    yield RULE.at(
        ("instance", "max_runtime"),
        f"{seconds_text(plan.max_runtime)} x {Rate(hourly.amount, hourly.currency)}{instances} = {most}, "
        f"above the budget of {budget.max_cost}",
        action,
        severity=Severity.WARNING if plan.spot else Severity.ERROR,
        confidence=Confidence.LIKELY if plan.spot else Confidence.CERTAIN,
        fixes=fixes,
    )


def _within(hours: Decimal) -> tuple[tuple[Fix, ...], str]:
    """The longest limit of whole minutes that the budget pays for."""
    minutes = int(hours * 60)
    if not minutes:
        return (), "raise budget.max_cost: it does not pay for a minute"
    longest = f"{minutes // 60}h{minutes % 60:02}m" if minutes >= 60 else f"{minutes}m"
    fix = Fix(f"lower it to {longest}", ("instance", "max_runtime"), longest)
    return (fix,), f"lower max_runtime to {longest}, the longest within the budget"
