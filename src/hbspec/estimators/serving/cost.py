"""The bill of an endpoint, and the cost per answer."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from hbspec.plan import ServingPlan
from hbspec.plan.serving import Baseline
from hbspec.units import DAYS_PER_MONTH, Interval, Money, cents

HOURS_PER_DAY = 24
OF_LIVE_ENDPOINT = "deployment.ab_test.instance does not describe its instances, which are billed beside these"
NO_PRICE = "no price of its instances is known"


class Charge(NamedTuple):
    """An amount with its bounds, in one currency."""

    low: Decimal
    expected: Decimal
    high: Decimal
    currency: str

    def to_dict(self) -> dict[str, str]:
        """Decimal strings, rounded to cents."""
        amounts = {"low": cents(self.low), "expected": cents(self.expected), "high": cents(self.high)}
        return {**amounts, "currency": self.currency}


class Charges(NamedTuple):
    """The bill of an endpoint with its initial instances, and within its autoscaling bounds.

    Attributes:
        hourly, daily, monthly: the cost of the initial instances and of a baseline's; a month is 30 days.
        scaled: by the same three names, the cost from the fewest to the most instances; `expected` is the cost of the
            initial instances.
        left_out: by name, the reason why an item is not in the bill.
        baseline: the part of `hourly` that a baseline's instances cost already; None where none are in the bill.
    """

    hourly: Money
    scaled: dict[str, Charge]
    left_out: Mapping[str, str] = {}
    baseline: Money | None = None

    @property
    def daily(self) -> Money:
        """The cost of the initial instances for 24 hours."""
        return _times(self.hourly, HOURS_PER_DAY)

    @property
    def monthly(self) -> Money:
        """The cost of the initial instances for 720 hours."""
        return _times(self.hourly, HOURS_PER_DAY * DAYS_PER_MONTH)


def charges(plan: ServingPlan) -> Charges | None:
    """Price x instances x hours; None without a price or hardware.

    An instance is billed by the second, whether it answers requests or not, and so are those of a baseline, whose
    number is taken as constant. Left out: storage of the instances, data in and out.
    """
    if plan.price is None or plan.hardware is None:
        return None
    rate, currency = plan.price.rate.per_hour, plan.price.rate.currency
    fewest, most = plan.scaling
    count = plan.hardware.instances
    beside, left_out = _beside(plan.baseline, currency)
    ends = (min(fewest, count), count, max(most, count))
    low, expected, high = (rate * instances + beside for instances in ends)
    scaled = {
        name: Charge(low * hours, expected * hours, high * hours, currency)
        for name, hours in (("hourly", 1), ("daily", HOURS_PER_DAY), ("monthly", HOURS_PER_DAY * DAYS_PER_MONTH))
    }
    return Charges(Money(expected, currency), scaled, left_out, Money(beside, currency) if beside else None)


def _beside(baseline: Baseline | None, currency: str) -> tuple[Decimal, Mapping[str, str]]:
    """The hourly cost of a baseline's instances, 0 where it is left out, and the reason by its name."""
    if baseline is None:
        return Decimal(0), {}
    name = f"baseline {baseline.model}"
    if baseline.instances is None:
        return Decimal(0), {name: OF_LIVE_ENDPOINT}
    if baseline.price is None:
        return Decimal(0), {name: NO_PRICE}
    rate = baseline.price.rate
    if rate.currency != currency:
        return Decimal(0), {name: f"its price is in {rate.currency}, that of the endpoint in {currency}"}
    return rate.per_hour * baseline.instances, {}


def answers_cost(plan: ServingPlan, per_hour: Interval) -> Charge | None:
    """The cost of 1,000 answers at a load; None without a price. Hours with fewer requests cost as much.

    Args:
        plan: the endpoint.
        per_hour: requests per hour that one instance answers.
    """
    if plan.price is None:
        return None
    rate = plan.price.rate.per_hour * 1000
    low, expected, high = (rate / Decimal(repr(count)) for count in (per_hour.high, per_hour.expected, per_hour.low))
    return Charge(low, expected, high, plan.price.rate.currency)


def _times(money: Money, factor: int) -> Money:
    return Money(money.amount * Decimal(factor), money.currency)


def money_dict(money: Money | None) -> dict[str, Any] | None:
    """`{"amount", "currency"}`."""
    return None if money is None else {"amount": cents(money.amount), "currency": money.currency}
