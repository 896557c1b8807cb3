"""HB304: a given price against the catalog's."""

from __future__ import annotations

from decimal import Decimal

import pytest
from judged import SPECS, edge, judged, said

from hbspec.catalog import catalog


@pytest.mark.parametrize("sign", [1, -1])
def test_the_edge_is_one_percent(sign, tmp_path):
    listed = catalog().price("ml.p4d.24xlarge", "us-east-1", "training").usd_per_hour
    within = Decimal(str(listed)) * (1 + sign * Decimal("0.01"))
    beyond = within + sign * Decimal("0.00001")
    edge("HB304", "", "instance.price", f"{within} USD/h", f"{beyond} USD/h", tmp_path)


def test_the_catalogs_price_of_the_plan_is_40_cad():
    (found,) = said("HB304", SPECS / "heartbeat-as-written.yaml")
    assert found.route == ("instance", "price")
    assert "29.04 USD/h x 1.38 = 40.07 CAD/h (derived, 2026-01-21)" in found.message


@pytest.mark.parametrize(("price", "count"), [("25.25", 0), ("25.49", 0), ("25.01", 0), ("25.60", 1), ("24.90", 1)])
def test_one_percent_is_rounding(tmp_path, price, count):
    assert len(judged("HB304", f"instance: {{price: {price} USD/h}}", tmp_path)) == count


def test_the_endpoints_price_too(tmp_path):
    (found,) = judged("HB304", "deployment: {instance: {price: 5.67 USD/h}}", tmp_path)
    assert found.route == ("deployment", "instance", "price")
    assert "20.0 % below" in found.message


def test_without_a_rate_it_cannot_be_compared(tmp_path):
    assert judged("HB304", "instance: {price: 20 EUR/h}", tmp_path) == []
