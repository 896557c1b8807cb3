"""Laws of time around the steps and of the bill: sums, monotony, exact scaling."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from hbspec.catalog import catalog
from hbspec.estimators.job.cost import cost, hours
from hbspec.estimators.job.interruptions import LOST, RESTARTS, interruptions
from hbspec.estimators.job.phases import phases_around_steps
from hbspec.estimators.job.time import Time, time
from hbspec.plan import build_plan
from hbspec.spec import Spec
from hbspec.units import Interval

ENDS = ("low", "expected", "high")
RATE = Interval(1.0, 2.0, 3.0)
TYPES = ["ml.p4d.24xlarge", "ml.g5.2xlarge", "ml.g6e.12xlarge", "ml.g4dn.xlarge"]
JOBS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(TYPES),
        "count": st.integers(1, 4),
        "spot": st.booleans(),
        "keep_alive": st.sampled_from([None, "10m", "6h"]),
        "volume": st.sampled_from([None, "500 GB"]),
        "price": st.sampled_from([None, "3 USD/h"]),
        "disks": st.booleans(),
    }
)
SECONDS = st.floats(0, 1e6)


def planned(instance, *, save_steps=50, max_steps=400, merged=False):
    """A job on instances with disks of their own or without."""
    instance = dict(instance)
    disks = instance.pop("disks", True)
    values = {
        "hbspec": 1,
        "name": "law",
        "model": {"id": "Qwen/Qwen2.5-7B"},
        "script": {"entry_point": "train.py"},
        "data": {"train": {"examples": 2000}, "tokens": {"mean": 200, "max": 400}},
        "instance": {"region": "us-east-1", **instance},
        "hyperparameters": {
            "method": "qlora", "learning_rate": 1e-4, "max_length": 512, "max_steps": max_steps,
            "per_device_batch_size": 1, "save_steps": save_steps, "bf16": False, "fp16": True,
        },
        "deployment": {"instance": {"type": "ml.g5.2xlarge"}, "adapters": "merged" if merged else "separate"},
    }  # fmt: skip
    architecture = catalog().models["Qwen/Qwen2.5-7B"].architecture
    plan = build_plan(Spec.model_validate(values), catalog(), architecture, None)
    if disks:
        return plan
    row = plan.hardware.instance._replace(nvme_bytes=0)
    return plan._replace(hardware=plan.hardware._replace(instance=row))


def timed(plan, seconds=3600.0):
    """The time of a plan whose steps take what they are said to take."""
    phases = {**phases_around_steps(plan), "steps": Interval(seconds, seconds * 1.5, seconds * 2)}
    return Time(RATE, {**phases, **interruptions(plan, phases)}, RATE)


def no_end_above(one, other):
    return all(getattr(one, end) <= getattr(other, end) * Decimal("1.0000001") for end in ENDS)


def no_interval_above(one, other):
    return all(getattr(one, end) <= getattr(other, end) * 1.0000001 for end in ENDS)


@given(JOBS, st.booleans())
def test_items_sum_to_the_total_and_are_ordered(instance, merged):
    plan = planned(instance, merged=merged)
    bill = cost(plan, time(plan))
    for end in ENDS:
        assert getattr(bill, end) == sum(getattr(item, end) for item in bill.items)
    assert all(0 <= item.low <= item.expected <= item.high for item in bill.items)
    assert len({item.name for item in bill.items}) == len(bill.items)


@given(JOBS, SECONDS)
def test_twice_the_instances_at_the_same_time_cost_twice(instance, seconds):
    plan = planned(instance)
    took = timed(plan, seconds)
    twice = plan._replace(hardware=plan.hardware._replace(instances=2 * plan.hardware.instances))
    one, two = cost(plan, took), cost(twice, took)
    for end in ENDS:
        half, whole = getattr(one, end), getattr(two, end)
        assert abs(whole - 2 * half) <= whole * Decimal("1e-25")  # money has 28 digits


@given(JOBS, SECONDS, SECONDS)
def test_longer_is_never_cheaper(instance, one, other):
    plan = planned(instance)
    shorter, longer = (cost(plan, timed(plan, seconds)) for seconds in sorted([one, other]))
    assert no_end_above(shorter, longer)


@given(JOBS, SECONDS)
def test_spot_may_always_be_cheaper(instance, seconds):
    spot, on_demand = (planned({**instance, "spot": spot}) for spot in (True, False))
    assert cost(spot, timed(spot, seconds)).low <= cost(on_demand, timed(on_demand, seconds)).low


@given(JOBS, st.integers(1, 1000), st.integers(1, 1000), SECONDS)
def test_closer_checkpoints_lose_less_and_take_longer(instance, one, other, seconds):
    closer, wider = sorted([one, other])
    often, seldom = (timed(planned({**instance, "spot": True}, save_steps=every), seconds) for every in (closer, wider))
    for name in (LOST, RESTARTS):
        assert no_interval_above(often.phases[name], seldom.phases[name])
    assert no_interval_above(seldom.phases["checkpoints"], often.phases["checkpoints"])


@given(JOBS, st.integers(1, 400), SECONDS)
def test_checkpoints_that_do_not_survive_never_help(instance, every, seconds):
    plan = planned({**instance, "spot": True}, save_steps=every)
    kept, lost = (timed(plan._replace(checkpoints_survive=flag), seconds) for flag in (True, False))
    for name in (LOST, RESTARTS):
        assert no_interval_above(kept.phases[name], lost.phases[name])


@given(JOBS, st.floats(1, 21_600))
def test_a_warm_pool_is_never_cheaper(instance, kept):
    plan = planned(instance)._replace(keep_alive=None)
    took = timed(plan)
    assert no_end_above(cost(plan, took), cost(plan._replace(keep_alive=kept), took))


@given(JOBS, st.floats(0, 1e5))
def test_another_phase_never_shortens(instance, seconds):
    plan = planned(instance)
    without = timed(plan)
    more = without._replace(phases={**without.phases, "one_more": Interval(0, seconds, 2 * seconds)})
    assert no_interval_above(without.total_seconds, more.total_seconds)
    assert no_interval_above(without.billed_seconds, more.billed_seconds)
    assert no_end_above(cost(plan, without), cost(plan, more))


@given(st.sampled_from(TYPES), st.booleans())
def test_more_bytes_never_take_less(instance_type, merged):
    plan = planned({"type": instance_type}, merged=merged)
    small = phases_around_steps(plan)
    large = phases_around_steps(
        plan._replace(checkpoint_bytes=2 * plan.checkpoint_bytes, adapter_bytes=2 * plan.adapter_bytes)
    )
    assert all(no_interval_above(small[name], large[name]) for name in small)


@given(JOBS)
def test_the_authors_price_is_exact(instance):
    plan = planned({**instance, "price": "7 USD/h", "spot": False, "keep_alive": None, "disks": True})
    took = timed(plan)._replace(phases={"steps": Interval.exact(3600.0)})
    bill = cost(plan, took)
    assert bill.low == bill.expected == bill.high == 7 * instance["count"]


LIMITS = st.floats(60, 1e6)


@given(JOBS, SECONDS, LIMITS)
def test_nothing_is_billed_beyond_the_limit_its_grace_and_the_upload(instance, seconds, limit):
    plan = planned({**instance, "price": "3 USD/h", "keep_alive": None, "disks": True})
    took = timed(plan, seconds)._replace(limit=limit)
    bill, upload = cost(plan, took), took.phases["upload"]
    assert bill.high <= hours(limit + 120 + upload.high) * 3 * instance["count"]
    for end in ENDS:
        assert getattr(bill, end) == sum(getattr(item, end) for item in bill.items)
    assert all(0 <= item.low <= item.expected <= item.high for item in bill.items)
    assert ("stopped by max_runtime" in bill.items[0].note) == took.may_be_stopped


@given(JOBS, SECONDS, LIMITS, LIMITS)
def test_a_longer_limit_is_never_cheaper(instance, seconds, one, other):
    plan = planned(instance)
    took = timed(plan, seconds)
    sooner, later = (cost(plan, took._replace(limit=limit)) for limit in sorted([one, other]))
    assert no_end_above(sooner, later)
    assert no_end_above(later, cost(plan, took))


@given(JOBS, SECONDS)
def test_a_limit_that_is_not_reached_changes_nothing(instance, seconds):
    plan = planned(instance)
    took = timed(plan, seconds)
    assert cost(plan, took._replace(limit=took.total_seconds.high + 1)) == cost(plan, took)
