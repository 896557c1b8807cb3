from __future__ import annotations

from decimal import Decimal

import pytest
from planned import P4D, planned

from hbspec.diagnostics import NotKnownError
from hbspec.estimators.constants import SPOT_SHARE
from hbspec.estimators.job.cost import cost, hours, most_it_can_cost
from hbspec.estimators.job.runtime import running_seconds
from hbspec.estimators.job.time import time
from hbspec.units import DAYS_PER_MONTH, HOUR, Money

PRICE = {"price": "36 CAD/h", "parallelism": "pipeline"}
RATES = {"exchange_rates": {"USD": {"rate": 1.38, "date": "2025-09-22"}}}
P3 = {"type": "ml.p3.16xlarge", "parallelism": "ddp", "price": "28.15 USD/h", "volume": "100 GB"}
SMALL = "Qwen/Qwen2.5-7B"
SPOT = {**P4D, **PRICE, "spot": True}


def billed(plan):
    return cost(plan, time(plan))


def without_disks(**changes):
    """A job on instances of which it is known that they have none."""
    plan = planned(SMALL, bf16=False, fp16=True, **changes)
    instance = plan.hardware.instance._replace(nvme_bytes=0)
    return plan._replace(hardware=plan.hardware._replace(instance=instance))


def items(plan):
    return {item.name: item for item in billed(plan).items}


def test_the_authors_price_times_billed_hours():
    plan = planned(instance=PRICE)
    found, took = billed(plan), time(plan).billed_seconds
    assert found.currency == "CAD"
    assert found.expected == hours(took.expected) * 36
    assert (found.low, found.high) == (hours(took.low) * 36, hours(took.high) * 36)
    assert "36.00 CAD/h (author) x 1" in found.items[0].note
    assert found.price == plan.price


def test_what_the_runtime_limit_lets_it_spend():
    assert most_it_can_cost(planned(instance=PRICE)) == Money(Decimal(576), "CAD")
    assert most_it_can_cost(planned(instance={**PRICE, "count": 3})).amount == 1728
    with pytest.raises(NotKnownError, match="max_runtime"):
        most_it_can_cost(planned(instance={**PRICE, "max_runtime": None}))


def test_exchange_rates():
    budget = {"budget": {"max_cost": "525 CAD", **RATES}}
    dollars, converted = billed(planned()), billed(planned(sections=budget))
    assert (dollars.currency, converted.currency) == ("USD", "CAD")
    assert converted.expected == dollars.expected * Decimal("1.38")
    with pytest.raises(NotKnownError, match="exchange rate from USD to EUR"):
        billed(planned(sections={"budget": {"max_cost": "525 EUR"}}))


def test_a_price_by_a_markup_is_as_wide_as_the_markup():
    g5 = {"parallelism": "ddp", "type": "ml.g5.12xlarge", "region": "ca-central-1"}
    plan = planned(SMALL, instance=g5)
    least, most = plan.price.spread
    assert plan.price.basis == "derived"
    assert least < 1 < most < Decimal("1.01")
    found, took = billed(plan), time(plan).billed_seconds
    hourly = plan.price.rate.per_hour
    assert found.low == hours(took.low) * hourly * least
    assert found.expected == hours(took.expected) * hourly
    assert found.high == hours(took.high) * hourly * most


def test_no_price_is_not_zero():
    with pytest.raises(NotKnownError, match="price of 1 x A100-80"):
        billed(planned(instance={"type": None, "gpu": "A100-80", "gpus": 1}))


def test_cents_are_rounded_at_the_edge_only():
    found = billed(planned(instance=PRICE))
    shown = found.to_dict()
    assert shown["expected"] == str(found.expected.quantize(Decimal("0.01")))
    assert shown["items"][0]["name"] == "instances"
    assert found.expected != Decimal(shown["expected"])


def test_the_bill_says_what_it_has_not_and_how_old_its_price_is():
    shown = billed(planned()).to_dict()
    assert "S3" in shown["left_out"]["storage and transfer"]
    assert shown["price"] == {
        "per_hour": "25.2512883", "currency": "USD", "basis": "derived", "as_of": shown["price"]["as_of"],
        "source": shown["price"]["source"],
    }  # fmt: skip
    assert billed(planned(instance=PRICE)).to_dict()["price"]["as_of"] is None


class TestSpot:
    def test_it_is_an_assumption(self):
        on_demand, spot = items(planned(instance=PRICE)), items(planned(instance=SPOT))
        assert spot["instances"].high == on_demand["instances"].high
        assert spot["instances"].expected == on_demand["instances"].expected * Decimal(str(SPOT_SHARE.expected))
        assert "managed spot assumed" in spot["instances"].note

    def test_interruptions_are_items(self):
        plan = planned(instance=SPOT, save_steps=50)
        found, phases = items(plan), time(plan).phases
        assert list(found) == ["instances", "lost_work", "restarts"]
        for name in ("lost_work", "restarts"):
            assert found[name].high == hours(phases[name].high) * 36
            assert "assumed at 0.0001 to 0.16 per hour" in found[name].note

    def test_nothing_to_go_on_from_costs_more(self):
        plan = planned(instance=SPOT, save_steps=50)
        without, kept = (items(plan._replace(checkpoints_survive=flag)) for flag in (False, True))
        assert without["lost_work"].expected > 2 * kept["lost_work"].expected
        assert without["instances"].expected < kept["instances"].expected  # the last copy is not waited for


class TestWarmPool:
    def test_it_is_billed_like_training(self):
        found = items(planned(instance={**PRICE, "keep_alive": "30m", "count": 2}))["warm_pool"]
        assert (found.low, found.expected, found.high) == (0, 36, 36)
        assert "30.0 min" in found.note

    def test_spot_instances_are_not_kept(self):
        assert "warm_pool" not in items(planned(instance={**PRICE, "keep_alive": "30m", "spot": True}))

    def test_none_kept(self):
        assert "warm_pool" not in items(planned(instance=PRICE))


class TestVolume:
    def test_gigabytes_by_the_month(self):
        plan = without_disks(instance={**P3, "count": 2})
        found, took = items(plan)["volume"], time(plan).billed_seconds
        month = DAYS_PER_MONTH * 24
        assert found.expected == pytest.approx(hours(took.expected) / month * 100 * 2 * Decimal("0.14"))
        assert "100 GB x 0.14 USD per month x 2" in found.note

    def test_elsewhere_it_may_cost_twice(self):
        here, there = (
            items(without_disks(instance={**P3, "region": name}))["volume"] for name in ("us-east-1", "sa-east-1")
        )
        assert there.high == pytest.approx(2 * here.high)
        assert there.expected == here.expected

    def test_the_default_is_thirty(self):
        assert "30 GB x" in items(without_disks(instance={**P3, "volume": None}))["volume"].note

    def test_a_warm_pool_keeps_it(self):
        short, long = (items(without_disks(instance={**P3, "keep_alive": kept}))["volume"] for kept in (None, "5h"))
        assert long.expected > 2 * short.expected
        assert long.low == short.low

    def test_disks_of_its_own_are_in_the_price(self):
        assert "volume" not in items(planned(SMALL, instance={**P3, "type": "ml.g5.12xlarge"}))

    def test_it_may_cost_nothing_where_disks_are_not_known(self):
        plan = without_disks(instance=P3)
        row = plan.hardware.instance._replace(nvme_bytes=None)
        found = items(plan._replace(hardware=plan.hardware._replace(instance=row)))["volume"]
        assert found.low == 0 < found.expected

    def test_dollars_are_not_added_to_others(self):
        author = {**P3, "price": "5 CAD/h"}
        found = billed(without_disks(instance=author))
        assert [item.name for item in found.items] == ["instances"]
        assert found.left_out["volume"] == "needs a budget with an exchange rate from USD to CAD"
        without = billed(without_disks(instance=author, sections={"budget": {"max_cost": "90 CAD"}}))
        assert without.left_out["volume"] == "needs an exchange rate from USD to CAD"
        budget = {"budget": {"max_cost": "90 CAD", **RATES}}
        converted = billed(without_disks(instance=author, sections=budget))
        dollars = items(without_disks(instance=P3))["volume"]
        assert converted.items[-1].expected == dollars.expected * Decimal("1.38")


def test_the_limit_is_held_against_what_runs():
    found = time(planned())
    running = running_seconds(found)
    assert running.high == pytest.approx(found.billed_seconds.high)
    assert running.low == pytest.approx(found.billed_seconds.low - found.phases["upload"].low)
    assert running.expected < found.total_seconds.expected
    assert running.high < 24 * HOUR


STOPPED = {**PRICE, "max_runtime": "1h", "max_wait": "9h", "spot": True}


class TestLimit:
    def test_the_bill_of_a_spot_job_ends_where_the_job_is_stopped(self):
        plan = planned(instance=STOPPED, max_steps=30_000)
        found, took = billed(plan), time(plan)
        assert took.to_the_end.billed_seconds.low > 10 * HOUR
        assert found.high == hours(HOUR + 120 + took.phases["upload"].high) * 36
        assert [item.name for item in found.items] == ["instances"]
        assert "stopped by max_runtime (1.00 h, plus 2.00 min to save and the upload)" in found.items[0].note

    def test_where_none_is_given_the_service_has_one(self):
        instance = {**PRICE, "max_runtime": None}
        assert time(planned(instance=instance)).limit == 24 * HOUR
        by_hand = {"type": None, "gpu": "A100-40", "gpus": 8, "price": "36 CAD/h", "max_runtime": "1h"}
        assert time(planned(instance=by_hand)).limit is None
