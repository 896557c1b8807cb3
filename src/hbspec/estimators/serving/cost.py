"""The bill of an endpoint, and the cost per answer."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from hbspec.plan import ServingPlan
from hbspec.units import DAYS_PER_MONTH, Interval, Money, cents

HOURS_PER_DAY = 24
OF_LIVE_ENDPOINT = "its instances are the live endpoint's, and are billed beside these"


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
        hourly, daily, monthly: the cost of the initial instances; a month is 30 days.
        scaled: by the same three names, the cost from the fewest to the most instances; `expected` is the cost of the
            initial instances.
        left_out: by name, the reason why an item is not in the bill.
    """

    hourly: Money
    scaled: dict[str, Charge]
    left_out: Mapping[str, str] = {}

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

    An instance is billed by the second, whether it answers requests or not. Left out: storage of the instances, data in
    and out.
    """
    if plan.price is None or plan.hardware is None:
        return None
    rate, currency = plan.price.rate.per_hour, plan.price.rate.currency
    fewest, most = plan.scaling
    count = plan.hardware.instances
    scaled = {
        name: Charge(rate * hours * min(fewest, count), rate * hours * count, rate * hours * max(most, count), currency)
        for name, hours in (("hourly", 1), ("daily", HOURS_PER_DAY), ("monthly", HOURS_PER_DAY * DAYS_PER_MONTH))
    }
    left_out = {f"baseline {plan.baseline}": OF_LIVE_ENDPOINT} if plan.baseline else {}
    return Charges(Money(rate * count, currency), scaled, left_out)


def answers_cost(plan: ServingPlan, per_hour: Interval) -> Charge | None:
    """The cost of 1,000 answers on an instance that is never idle; None without a price.

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
