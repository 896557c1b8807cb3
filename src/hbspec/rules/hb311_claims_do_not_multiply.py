"""The claimed duration and price do not add up to the claimed cost.

Why: The cost is duration x price x instances. If the claimed cost differs from it, at least one of the three is wrong,
and the budget usually depends on the cost.

Example:

    instance: {price: 25.25 USD/h}
    expect: {training.duration: 1m..10h, training.cost: 0.10 USD..200 USD}

Instead:

    instance: {price: 25.25 USD/h}
    expect: {training.duration: 1m..10h, training.cost: 0.10 USD..252.50 USD}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTrainingJob.html
    https://github.com/skypilot-org/skypilot/issues/8766
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from math import isfinite

from hbspec.analysis import Analysis
from hbspec.claims.sets import parse_claim
from hbspec.diagnostics import Finding, Severity
from hbspec.digits import UnitError
from hbspec.rules.rule import Rule
from hbspec.units import HOUR, Money, seconds_text

RULE = Rule(__name__, Severity.WARNING)


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding where longest claimed duration x `instance.price` x instances is outside the claimed cost."""
    expect, instance = analysis.spec.expect, analysis.spec.instance
    duration, cost = expect.get("training.duration"), expect.get("training.cost")
    if duration is None or cost is None or instance.price is None:
        return
    try:
        time, money = parse_claim(duration, "seconds"), parse_claim(cost, "money")
    except UnitError:  # a claim that cannot be read has its own rule
        return
    convert = analysis.plan.currencies.convert
    price = convert(Money(instance.price.per_hour * instance.count, instance.price.currency))
    unit = convert(Money(Decimal(1), money.currency or price.currency))
    if not isfinite(time.high) or unit.currency != price.currency:
        return
    hourly = float(price.amount / unit.amount)
    shortest = time.high if ".." in duration else time.low
    if money.low <= time.high / HOUR * hourly and shortest / HOUR * hourly <= money.high:
        return
    longest = time.high if ".." in duration else (time.low + time.high) / 2
    product = Money(Decimal(str(longest / HOUR * hourly)), money.currency or price.currency)
    instances = f" x {instance.count} instances" if instance.count > 1 else ""
    yield RULE.at(
        ("expect", "training.cost"),
        f"{seconds_text(longest)} x {instance.price}{instances} = {product}, but training.cost is claimed as {cost}",
        "correct training.duration, instance.price or training.cost",
    )
