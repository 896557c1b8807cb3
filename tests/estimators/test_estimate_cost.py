from __future__ import annotations

from decimal import Decimal

import pytest
from planned import planned

from hbspec.diagnostics import NotKnownError
from hbspec.estimators.cost import cost, hours, most_it_can_cost
from hbspec.estimators.time import time
from hbspec.units import Money

PRICE = {"price": "36 CAD/h", "parallelism": "pipeline"}


def billed(plan):
    return cost(plan, time(plan))


def test_the_authors_price_times_billed_hours():
    plan = planned(instance=PRICE)
    found, took = billed(plan), time(plan).billed_seconds
    assert found.currency == "CAD"
    assert found.expected == hours(took.expected) * 36
    assert (found.low, found.high) == (hours(took.low) * 36, hours(took.high) * 36)
    assert "36.00 CAD/h (author) x 1" in found.items[0].note


def test_what_the_runtime_limit_lets_it_spend():
    assert most_it_can_cost(planned(instance=PRICE)) == Money(Decimal(576), "CAD")
    assert most_it_can_cost(planned(instance={**PRICE, "count": 3})).amount == 1728
    with pytest.raises(NotKnownError, match="max_runtime"):
        most_it_can_cost(planned(instance={**PRICE, "max_runtime": None}))


def test_exchange_rates():
    rates = {"USD": {"rate": 1.38, "date": "2025-09-22"}}
    budget = {"budget": {"max_cost": "525 CAD", "exchange_rates": rates}}
    dollars, converted = billed(planned()), billed(planned(sections=budget))
    assert (dollars.currency, converted.currency) == ("USD", "CAD")
    assert converted.expected == dollars.expected * Decimal("1.38")
    with pytest.raises(NotKnownError, match="exchange rate from USD to EUR"):
        billed(planned(sections={"budget": {"max_cost": "525 EUR"}}))


def test_managed_spot_is_an_assumption():
    on_demand, spot = (billed(planned(instance={**PRICE, "spot": spot})) for spot in (False, True))
    assert spot.high == on_demand.high
    assert spot.expected < on_demand.expected
    assert "managed spot assumed" in spot.items[0].note


def test_no_price_is_not_zero():
    with pytest.raises(NotKnownError, match="price of 1 x A100-80"):
        billed(planned(instance={"type": None, "gpu": "A100-80", "gpus": 1}))


def test_cents_are_rounded_at_the_edge_only():
    found = billed(planned(instance=PRICE))
    shown = found.to_dict()
    assert shown["expected"] == str(found.expected.quantize(Decimal("0.01")))
    assert shown["items"][0]["name"] == "instances"
    assert found.expected != Decimal(shown["expected"])
