"""The hourly price of an instance with its basis, and amounts in the budget's currency."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from hbspec.catalog import Catalog
from hbspec.catalog.prices import EXACT
from hbspec.diagnostics import Missing, NotKnownError
from hbspec.spec import Spec
from hbspec.units import Money, Rate

STALE_AFTER_DAYS = 180
"""The age in days from which prices and exchange rates count as stale; p4d and p5 fell by up to 45 % within 2025."""


class UnitPrice(NamedTuple):
    """The hourly price of one instance.

    Attributes:
        rate: amount and currency.
        basis: "author" (set in the spec), "read" (from a SageMaker price list) or "derived" (from another price).
        as_of: the day on which the price was read; None if undated, which counts as stale. A price of the author's has
            no age.
        spread: the lowest and the highest possible rate, as multiples of `rate`.
    """

    rate: Rate
    basis: str
    as_of: date | None
    source: str
    spread: tuple[Decimal, Decimal] = EXACT

    def age_days(self, today: date) -> int | None:
        """Days since the price was read, None where undated."""
        return None if self.as_of is None else (today - self.as_of).days

    def to_dict(self) -> dict[str, Any]:
        """The `cost.price` of `hbspec estimate --format json`; an undated price has `as_of` null."""
        return {
            "per_hour": str(self.rate.per_hour),
            "currency": self.rate.currency,
            "basis": self.basis,
            "as_of": self.as_of and self.as_of.isoformat(),
            "source": self.source,
        }


class Currencies(NamedTuple):
    """The budget's currency, and by currency the value of one unit in it."""

    budget: str | None
    rates: Mapping[str, Decimal]

    def convert(self, money: Money) -> Money:
        """An amount in the budget's currency; unchanged without a budget.

        Raises:
            NotKnownError: the budget has no exchange rate for the amount's currency.
        """
        if self.budget is None or money.currency == self.budget:
            return money
        rate = self.rates.get(money.currency)
        if rate is None:
            raise NotKnownError(Missing(f"an exchange rate from {money.currency} to {self.budget}", ("budget",)))
        return Money(money.amount * rate, self.budget)


def currencies(spec: Spec) -> Currencies:
    """The budget's currency and the author's exchange rates."""
    if spec.budget is None:
        return Currencies(None, {})
    rates = {currency: Decimal(str(entry.rate)) for currency, entry in spec.budget.exchange_rates.items()}
    return Currencies(spec.budget.max_cost.currency, rates)


def unit_price(
    catalog: Catalog, author: Rate | None, instance_type: str | None, region: str | None, component: str
) -> UnitPrice | None:
    """The author's price, else the catalog's for this region and component ("training" or "hosting")."""
    if author is not None:
        return UnitPrice(author, "author", None, "the spec")
    if instance_type is None or region is None:
        return None
    price = catalog.price(instance_type, region, component)
    if price is None:
        return None
    return UnitPrice(Rate(price.usd_per_hour, "USD"), price.basis, price.as_of, price.source, price.spread)
