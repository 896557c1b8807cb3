"""`instance.price` differs from the catalog's price.

Why: A given price replaces the catalog's in every cost, so a stale or mistaken one makes every cost wrong. A price
agreed with AWS is a good reason to differ. EC2's list price is not: SageMaker's instances cost 15 % to 40 % more.

Example:

    instance: {price: 32.77 USD/h}

Instead:

    instance: {price: 25.25 USD/h}

References:

    https://aws.amazon.com/sagemaker/ai/pricing/
    https://aws.amazon.com/blogs/aws/announcing-up-to-45-price-reduction-for-amazon-ec2-nvidia-gpu-accelerated-instances/
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Route, Severity
from hbspec.plan import UnitPrice
from hbspec.plan.money import unit_price
from hbspec.rules.rule import Rule
from hbspec.units import Money, Rate, significant

RULE = Rule(__name__, Severity.WARNING)

SLIP = 10
"""A price that is off by more than this factor is a slip, which explains other findings; a discount is not."""
TOLERANCE = Decimal("0.01")
"""Relative; authors round prices."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for `instance.price` and `deployment.instance.price`, each against the catalog's price."""
    spec, catalog = analysis.spec, analysis.catalog
    if spec.instance.price is not None:
        listed = unit_price(catalog, None, spec.instance.type, spec.instance.region, "training")
        yield from _compare(analysis, ("instance", "price"), spec.instance.price, listed)
    if spec.deployment is not None and spec.deployment.instance.price is not None:
        served, region = spec.deployment.instance, analysis.serving_plan.region
        listed = unit_price(catalog, None, served.type, region, "hosting")
        yield from _compare(analysis, ("deployment", "instance", "price"), spec.deployment.instance.price, listed)


def _compare(analysis: Analysis, route: Route, author: Rate, listed: UnitPrice | None) -> Iterator[Finding]:
    if listed is None:
        return
    convert = analysis.plan.currencies.convert
    given = convert(Money(author.per_hour, author.currency))
    catalogs = convert(Money(listed.rate.per_hour, listed.rate.currency))
    if given.currency != catalogs.currency:
        return
    difference = (given.amount - catalogs.amount) / catalogs.amount
    if abs(difference) <= TOLERANCE:
        return
    converted = ""
    if listed.rate.currency != catalogs.currency:
        rate = analysis.plan.currencies.rates[listed.rate.currency]
        converted = f" x {rate} = {Rate(catalogs.amount, catalogs.currency)}"
    percent, side = significant(float(abs(difference) * 100)), "above" if difference > 0 else "below"
    yield RULE.at(
        route,
        f"price is {author}, {percent} % {side} the catalog's {listed.rate}{converted} "
        f"({listed.basis}, {listed.as_of or 'undated'})",
        f"delete price to use the catalog's, or keep it with a comment `# hbspec: allow {RULE.code}` and the reason",
        instead=(str(listed.rate),) if _is_a_slip(given.amount / catalogs.amount) else (),
    )


def _is_a_slip(factor: Decimal) -> bool:
    return factor > SLIP or factor * SLIP < 1
