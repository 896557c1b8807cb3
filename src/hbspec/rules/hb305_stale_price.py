"""A price or an exchange rate that money is counted with is old, or has no date.

Why: prices move: p4d and p5 fell by up to 45 % within 2025. A sum is as good as the day its price was read.

Example:

    budget: {exchange_rates: {CAD: {rate: 0.73, date: 2025-09-22}}}

Instead:

    budget: {exchange_rates: {CAD: {rate: 0.73, date: 2026-11-02}}}

References:

    https://aws.amazon.com/sagemaker/ai/pricing/
    https://aws.amazon.com/blogs/aws/announcing-up-to-45-price-reduction-for-amazon-ec2-nvidia-gpu-accelerated-instances/
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Route, Severity
from hbspec.plan import STALE_AFTER_DAYS, UnitPrice
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING)


def check(analysis: Analysis) -> Iterator[Finding]:
    """The catalog's prices that are used (without a GPU nothing is counted), and every exchange rate."""
    spec = analysis.spec
    if analysis.plan.hardware is not None:
        yield from _price(analysis, ("instance", "type"), analysis.plan.price)
    if spec.deployment is not None and analysis.serving_plan.hardware is not None:
        yield from _price(analysis, ("deployment", "instance", "type"), analysis.serving_plan.price)
    for currency, entry in spec.budget.exchange_rates.items() if spec.budget else ():
        age = (analysis.as_of - entry.date).days
        if age > STALE_AFTER_DAYS:
            yield RULE.at(
                ("budget", "exchange_rates", currency, "date"),
                f"the rate of one {currency}, {entry.rate:g}, is {age} days old; above {STALE_AFTER_DAYS} it is stale",
                "look the rate up again and give its date",
            )


def _price(analysis: Analysis, route: Route, price: UnitPrice | None) -> Iterator[Finding]:
    if price is None or price.basis == "author":
        return
    age = price.age_days(analysis.as_of)
    if age is None or age > STALE_AFTER_DAYS:
        said = "has no date" if age is None else f"is {age} days old; above {STALE_AFTER_DAYS} it is stale"
        yield RULE.at(
            route,
            f"the price of this instance, {price.rate}, {said} ({price.basis}: {price.source})",
            f"look it up and give {'.'.join(map(str, route[:-1]))}.price",
        )
