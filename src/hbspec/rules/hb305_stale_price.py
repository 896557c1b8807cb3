"""A price or an exchange rate is old, or has no date.

Why: Prices change: p4d and p5 fell by up to 45 % in 2025. A cost is only as current as its price.

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
    """Findings for catalog prices that a cost is computed with, and for every exchange rate."""
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
                f"the exchange rate of {currency} ({entry.rate:g}) is {age} days old, more than {STALE_AFTER_DAYS}",
                "look up the current rate, and update rate and date",
            )


def _price(analysis: Analysis, route: Route, price: UnitPrice | None) -> Iterator[Finding]:
    if price is None or price.basis == "author":
        return
    age = price.age_days(analysis.as_of)
    if age is None or age > STALE_AFTER_DAYS:
        said = "has no date" if age is None else f"is {age} days old, more than {STALE_AFTER_DAYS}"
        yield RULE.at(
            route,
            f"the catalog's price of this instance ({price.rate}) {said} ({price.basis}: {price.source})",
            f"look up the current price and set {'.'.join(map(str, route[:-1]))}.price",
        )
