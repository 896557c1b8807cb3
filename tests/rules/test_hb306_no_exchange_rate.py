"""HB306: a price and a budget in different currencies."""

from __future__ import annotations

from judged import edge, judged


def test_the_edge_is_the_rate(tmp_path):
    rate = {"rate": 1.38, "date": "2026-11-02"}
    edge("HB306", "budget: {max_cost: 700 CAD}", "budget.exchange_rates.USD", rate, None, tmp_path)


def test_the_price_names_its_currency(tmp_path):
    (found,) = judged("HB306", "instance: {price: 20 EUR/h}", tmp_path)
    assert "EUR" in found.message
