"""Differences of real jobs hold what the estimates make of any errors that the law allows, and not much more."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hbspec.comparison.bills import bill_difference
from hbspec.comparison.gpu_memory import memory_difference
from hbspec.comparison.kinship import ALIKE, Kinship, kinship
from hbspec.comparison.parts import unrelated
from hbspec.comparison.seconds import COMPUTED, time_difference
from hbspec.estimators.constants import MEMORY, STEP
from hbspec.estimators.job.time import time
from hbspec.estimators.training.memory import memory
from hbspec.units import Interval

FEWER = "hyperparameters.num_train_epochs=1"
SHORTER = "hyperparameters.max_length=256"
LARGER_BATCH = "hyperparameters.per_device_batch_size=4"


def seconds(one, two):
    return time_difference((one.plan, one.time), (two.plan, two.time))


def bills(one, two):
    return bill_difference((one.plan, one.time), one.cost, (two.plan, two.time), two.cost)


@pytest.mark.parametrize(
    ("change", "kin"),
    [
        ("name=other", Kinship.SAME),
        (FEWER, Kinship.SAME),
        ("instance.price=9 USD/h", Kinship.SAME),
        (SHORTER, Kinship.ALIKE),
        (LARGER_BATCH, Kinship.ALIKE),
        ("data.tokens.mean=200", Kinship.ALIKE),
        ("instance.type=ml.g6.12xlarge", Kinship.APART),
        ("model.id=Qwen/Qwen2.5-3B", Kinship.APART),
        ("hyperparameters.method=lora", Kinship.APART),
        ("calibration.tokens_per_second_per_gpu=900", Kinship.APART),
        ("instance.type=ml.x", Kinship.APART),
    ],
)
def test_kinship(job, change, kin):
    assert kinship(job().plan, job(change).plan) is kin
    assert kinship(job(change).plan, job().plan) is kin


class TestTime:
    def test_a_job_and_itself_take_the_same_time(self, job):
        assert seconds(job(), job("name=other")).same
        assert bills(job(), job("name=other")).same

    def test_half_the_updates_are_certain_to_take_less(self, job):
        found = seconds(job(), job(FEWER))
        assert found.certain
        assert found.interval.high < 0
        apart = unrelated(job().time.total_seconds, job(FEWER).time.total_seconds)
        assert apart.low < 0 < apart.high

    def test_another_gpu_shares_nothing(self, job):
        other = job("instance.type=ml.g6.12xlarge")
        assert seconds(job(), other).interval == unrelated(job().time.total_seconds, other.time.total_seconds)

    @pytest.mark.parametrize("change", [SHORTER, LARGER_BATCH])
    @pytest.mark.parametrize("ratio", [1 / ALIKE, 1.0, ALIKE])
    @pytest.mark.parametrize("error", [STEP.error.low, 0.9, 1.0, STEP.error.high])
    def test_whatever_the_errors_are_the_difference_is_inside(self, job, change, ratio, error):
        """Both jobs at one number of tokens, one of them with an error, the other with one within the factor."""
        one, two = job(), job(change)
        found = seconds(one, two).interval
        other = min(STEP.error.high, max(STEP.error.low, error * ratio))
        for end in ("low", "expected", "high"):
            mine, theirs = _computed(one, error, end), _computed(two, other, end)
            around = _around(two) - _around(one)
            assert found.low <= theirs - mine + around <= found.high

    def test_what_is_alike_is_narrower_than_what_is_apart(self, job):
        found, other = seconds(job(), job(SHORTER)).interval, job(SHORTER)
        apart = unrelated(job().time.total_seconds, other.time.total_seconds)
        assert found.high - found.low < 0.9 * (apart.high - apart.low)

    def test_the_other_way_round_is_the_negative_where_all_is_counted(self, job):
        there, back = seconds(job(), job(FEWER)).interval, seconds(job(FEWER), job()).interval
        assert (there.low, there.high) == pytest.approx((-back.high, -back.low))


def _computed(found, error, end):
    plan = found.plan
    exact = {name: Interval.exact(getattr(getattr(plan, name), end)) for name in ("row_tokens", "padded_row_tokens")}
    constants = STEP._replace(
        error=Interval.exact(error),
        launch=Interval.exact(STEP.launch.expected),
        exposed=Interval.exact(STEP.exposed.expected),
    )
    phases = time(plan._replace(**exact), constants).phases
    return sum(took.expected for name, took in phases.items() if name in COMPUTED)


def _around(found):
    return sum(took.expected for name, took in found.time.phases.items() if name not in COMPUTED)


class TestBill:
    def test_a_lower_price_is_certain_to_cost_less(self, job):
        dear, cheap = job("instance.price=9 USD/h"), job("instance.price=8 USD/h")
        found = bills(dear, cheap)
        assert found.certain
        hours = dear.time.billed_seconds
        assert found.interval.high == pytest.approx(-hours.low / 3600)
        assert found.interval.low == pytest.approx(-hours.high / 3600)

    def test_the_spread_of_one_price_is_not_counted_twice(self, job):
        region = "instance.region=ca-central-1"  # where prices are derived
        one, two = job(region), job(region, FEWER)
        least, most = one.plan.price.spread
        assert least < most
        time_apart = seconds(one, two).interval
        rate = float(one.plan.price.rate.per_hour) / 3600
        assert bills(one, two).interval.high <= time_apart.high * rate * float(least) * 0.999

    def test_two_currencies_are_not_compared(self, job):
        assert bills(job(), job("instance.price=9 CAD/h")) is None

    @pytest.mark.parametrize("change", ["instance.spot=true", "instance.max_runtime=10m"])
    def test_what_may_be_stopped_or_interrupted_shares_nothing(self, job, change):
        one, two = job(), job(change)
        low, high = (float(end) for end in (two.cost.low - one.cost.high, two.cost.high - one.cost.low))
        found = bills(one, two).interval
        assert (found.low, found.high) == pytest.approx((low, high))
        assert found.expected == pytest.approx(float(two.cost.expected - one.cost.expected))

    def test_amounts_are_in_the_budget_s_currency(self, job):
        budget = "budget={max_cost: 900 CAD, exchange_rates: {USD: {rate: 1.5, date: 2026-11-01}}}"
        one, two = bills(job(), job(FEWER)), bills(job(budget), job(budget, FEWER))
        assert Decimal(str(two.interval.low)) == pytest.approx(Decimal(str(1.5 * one.interval.low)))


class TestMemory:
    def test_the_context_is_one_unknown(self, job):
        one, two = job(), job(LARGER_BATCH)
        found = memory_difference((one.plan, one.memory), (two.plan, two.memory)).interval
        apart = unrelated(one.memory.fullest.process, two.memory.fullest.process)
        around = MEMORY.context.high - MEMORY.context.low + MEMORY.communicators.high - MEMORY.communicators.low
        assert (apart.high - apart.low) - (found.high - found.low) == pytest.approx(2 * around, rel=1e-3)
        for size in (MEMORY.context.low, MEMORY.context.high):
            constants = MEMORY._replace(context=Interval.exact(size), context_by_capability={})
            same_context = [memory(each.plan, constants).fullest.process.expected for each in (one, two)]
            assert found.low <= same_context[1] - same_context[0] <= found.high

    def test_the_same_job_takes_the_same_memory(self, job):
        one, two = job(), job(FEWER)
        assert memory_difference((one.plan, one.memory), (two.plan, two.memory)).same

    def test_a_job_that_may_fill_its_gpu_shares_nothing(self, job):
        one, two = job(), job("hyperparameters.method=lora", "hyperparameters.per_device_batch_size=8")
        assert two.memory.verdict != "fits"
        found = memory_difference((one.plan, one.memory), (two.plan, two.memory)).interval
        assert found == unrelated(one.memory.fullest.process, two.memory.fullest.process)
