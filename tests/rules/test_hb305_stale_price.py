"""HB305: the age of prices and exchange rates."""

from __future__ import annotations

from datetime import timedelta

from judged import AS_OF, SPECS, edge, judged, said

from hbspec.plan import STALE_AFTER_DAYS

SEED = SPECS / "heartbeat-as-written.yaml"
RATES = "budget: {exchange_rates: {CAD: {rate: 0.73, date: 2026-11-02}}}"


def test_the_edge_is_half_a_year(tmp_path):
    within, beyond = (str(AS_OF - timedelta(days=days)) for days in (STALE_AFTER_DAYS, STALE_AFTER_DAYS + 1))
    edge("HB305", RATES, "budget.exchange_rates.CAD.date", within, beyond, tmp_path)


def test_the_exchange_rate_of_the_plan_is_stale():
    found = {diagnostic.route: diagnostic.message for diagnostic in said("HB305", SEED)}
    assert "426 days" in found["budget", "exchange_rates", "USD", "date"]


def test_the_authors_price_is_not_stale():
    assert ("instance", "type") not in {diagnostic.route for diagnostic in said("HB305", SEED)}


def test_an_undated_price_is_stale(tmp_path):
    found = judged("HB305", "instance: {type: ml.p3.16xlarge}", tmp_path)
    assert "has no date" in found[0].message


def test_the_endpoints_price_ages_too(tmp_path):
    (found,) = judged("HB305", "deployment: {region: ca-central-1}", tmp_path)
    assert found.route == ("deployment", "instance", "type")
    assert found.severity == "warning"
    assert "is 305 days old, more than 180" in found.message
    assert found.help == "look up the current price and set deployment.instance.price"


def test_a_given_price_has_no_age(tmp_path):
    given = "deployment: {region: ca-central-1, instance: {price: 7 USD/h}}"
    assert judged("HB305", given, tmp_path) == []


def test_six_months_are_not_stale(tmp_path):
    rates = "budget: {exchange_rates: {CAD: {rate: 0.73, date: %s}}}"
    assert judged("HB305", rates % "2026-05-26", tmp_path) == []  # 180 days
    assert len(judged("HB305", rates % "2026-05-25", tmp_path)) == 1
