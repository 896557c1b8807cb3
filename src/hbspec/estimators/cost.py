"""What a job is billed: billed time x price x instances, exact in the price and as wide as the time."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hbspec.diagnostics import NotKnownError, known
from hbspec.estimators.constants import SPOT_SHARE
from hbspec.estimators.time import Time
from hbspec.plan import Plan, UnitPrice
from hbspec.units import HOUR, Interval, Money, cents


@dataclass(frozen=True, slots=True)
class CostItem:
    """One line of the bill, in the cost's currency; `note` says how it comes about."""

    name: str
    low: Decimal
    expected: Decimal
    high: Decimal
    note: str

    def to_dict(self) -> dict[str, str]:
        """Decimal strings, rounded to cents."""
        return {"name": self.name, **_cents(self.low, self.expected, self.high), "note": self.note}


@dataclass(frozen=True, slots=True)
class Cost:
    """The bill of a job. Left out, since no price of theirs is known: storage, transfer, logs."""

    currency: str
    items: tuple[CostItem, ...]

    @property
    def low(self) -> Decimal:
        """Sum of the items' low ends."""
        return sum((item.low for item in self.items), Decimal(0))

    @property
    def expected(self) -> Decimal:
        """Sum of what is expected of the items."""
        return sum((item.expected for item in self.items), Decimal(0))

    @property
    def high(self) -> Decimal:
        """Sum of the items' high ends."""
        return sum((item.high for item in self.items), Decimal(0))

    def to_dict(self) -> dict[str, Any]:
        """The `cost` of `hbspec estimate --format json`; money as decimal strings, rounded to cents here only."""
        return {
            "currency": self.currency,
            **_cents(self.low, self.expected, self.high),
            "items": [item.to_dict() for item in self.items],
        }


def cost(plan: Plan, time: Time) -> Cost:
    """The bill of a plan, in the budget's currency where there is one, else in the price's.

    Managed spot is an assumption: the share of the on-demand bill in `SPOT_SHARE`, interruptions left out.

    Raises:
        NotKnownError: no price, no hardware, or no exchange rate.
    """
    price, instances = _priced(plan)
    share = SPOT_SHARE if plan.spot else Interval.exact(1)
    note = f"billed hours x {price.rate} ({price.basis}) x {instances}"
    if plan.spot:
        note += f", managed spot assumed at {share.low:g} to {share.high:g} of it (expected {share.expected:g})"
    ends = (
        _converted(plan, hours(seconds) * price.rate.per_hour * instances * Decimal(str(part)), price)
        for seconds, part in (
            (time.billed_seconds.low, share.low),
            (time.billed_seconds.expected, share.expected),
            (time.billed_seconds.high, share.high),
        )
    )
    low, expected, high = ends
    return Cost(low.currency, (CostItem("instances", low.amount, expected.amount, high.amount, note),))


def most_it_can_cost(plan: Plan) -> Money:
    """What the runtime limit lets a job spend: max_runtime x price x instances, on demand.

    Raises:
        NotKnownError: no limit, no price, no hardware, or no exchange rate.
    """
    price, instances = _priced(plan)
    limit = known(plan.max_runtime, "instance.max_runtime")
    return _converted(plan, hours(limit) * price.rate.per_hour * instances, price)


def hours(seconds: float) -> Decimal:
    """Seconds as hours of money's kind."""
    return Decimal(str(seconds)) / Decimal(str(HOUR))


def _priced(plan: Plan) -> tuple[UnitPrice, int]:
    hardware = known(plan.hardware, plan.unknown.get("hardware", "the hardware"))
    if plan.price is None:
        raise NotKnownError(f"the price of {hardware.name} in {plan.region or 'an unnamed region'}")
    return plan.price, hardware.instances


def _converted(plan: Plan, amount: Decimal, price: UnitPrice) -> Money:
    return plan.currencies.convert(Money(amount, price.rate.currency))


def _cents(low: Decimal, expected: Decimal, high: Decimal) -> dict[str, str]:
    ends = {"low": low, "expected": expected, "high": high}
    return {name: cents(amount) for name, amount in ends.items()}
