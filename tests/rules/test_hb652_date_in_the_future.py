"""HB652: dates of exchange rates. The tests check on 22 November 2026."""

from __future__ import annotations

import pytest
from judged import edge, judged

RATE = "budget: {exchange_rates: {CAD: {rate: 0.73, date: 2026-11-02}}}"


def test_the_edge_is_tomorrow(tmp_path):
    edge("HB652", RATE, "budget.exchange_rates.CAD.date", "2026-11-23", "2026-11-24", tmp_path)


@pytest.mark.parametrize("fragment", [RATE, "budget: null", "budget: {exchange_rates: {}}"])
def test_without_a_finding(fragment, tmp_path):
    assert judged("HB652", fragment, tmp_path) == []
