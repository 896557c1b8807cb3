"""HB311: the claimed duration times the price against the claimed cost."""

from __future__ import annotations

import pytest
from judged import SPECS, edge, judged, said

CAD = "budget: {max_cost: 525 CAD, exchange_rates: {USD: {rate: 1.38, date: 2026-11-02}}}"
CLAIMS = "instance: {price: 25 USD/h}\nexpect: {training.duration: 1m..10h, training.cost: 0.10 USD..900 USD}"


def test_the_edge_is_the_product(tmp_path):
    edge("HB311", CLAIMS, "expect.training.cost", "0.10 USD..250.00 USD", "0.10 USD..249.99 USD", tmp_path)


def test_the_edge_below_is_the_product_too(tmp_path):
    claims = CLAIMS.replace("0.10 USD..900 USD", "..250 USD")
    edge("HB311", claims, "expect.training.duration", "1m..10h", "1m..10h1s", tmp_path)


def test_14_hours_at_36_are_504():
    (found,) = said("HB311", SPECS / "heartbeat-as-written.yaml")
    assert found.route == ("expect", "training.cost")
    assert found.message == "14.0 h x 36.00 CAD/h = 504.00 CAD, but training.cost is claimed as 525 CAD"


@pytest.mark.parametrize(
    ("duration", "cost", "count"),
    [
        ("10h..14h", "504 CAD", 0),
        ("10h..14h", "500 CAD", 0),  # within 1 %
        ("10h..14h", "490 CAD", 1),
        ("14h", "504 CAD", 0),
        ("14.0h", "525 CAD", 1),
        ("14h", "525 CAD", 0),  # a whole number of hours means one more or less
        ("..14h", "525 CAD", 1),
        ("10h..", "525 CAD", 0),  # has no longest
        ("10h..14h", "..525 CAD", 0),
        ("10h..14h", "360 CAD..504 CAD", 0),
        ("10h..14h", "365 USD", 0),  # x 1.38 = 503.70
        ("10h..14h", "525 EUR", 0),  # no rate
        ("10 parsecs", "525 CAD", 0),
    ],
)
def test_duration_price_and_cost(tmp_path, duration, cost, count):
    claims = f"instance: {{price: 36 CAD/h}}\n{CAD}\nexpect: {{training.duration: {duration}, training.cost: {cost}}}"
    assert len(judged("HB311", claims, tmp_path)) == count


def test_instances_multiply(tmp_path):
    claims = (
        f"instance: {{price: 36 CAD/h, count: 2}}\n{CAD}\nexpect: {{training.duration: 7h, training.cost: 504 CAD}}"
    )
    assert judged("HB311", claims, tmp_path) == []
