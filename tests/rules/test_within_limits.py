"""A change is not worth naming where the changed job is expected to pass a limit that the job as written is not."""

from __future__ import annotations

import pytest

from hbspec.api import estimate
from hbspec.rules.within_limits import within_limits

BASE = {
    "hbspec": 1,
    "name": "limits",
    "model": {"id": "Qwen/Qwen2.5-0.5B"},
    "data": {"train": {"examples": 2198}, "tokens": {"mean": 374, "max": 1400}},
    "instance": {"type": "ml.g5.xlarge", "region": "us-east-1", "max_runtime": "24h"},
    "budget": {"max_cost": "1000 USD"},
    "hyperparameters": {
        "method": "lora",
        "learning_rate": 1e-4,
        "max_steps": 100,
        "per_device_batch_size": 1,
        "gradient_accumulation_steps": 8,
        "max_length": 1024,
    },
}


def analysis(*overrides):
    return estimate(BASE, overrides=overrides).analysis


@pytest.fixture(scope="module")
def as_written():
    return analysis()


@pytest.mark.parametrize(
    "past",
    [
        ("instance.max_runtime=60s",),
        ("budget.max_cost=0.01 USD",),
        ("instance.max_runtime=60s", "budget.max_cost=0.01 USD"),
    ],
)
def test_a_limit_counts_for_a_change_only_where_the_job_as_written_keeps_it(as_written, past):
    changed = analysis(*past)
    assert not within_limits(as_written)(changed)
    assert within_limits(changed)(changed)
    assert within_limits(changed)(as_written)


def test_passing_one_limit_does_not_excuse_passing_another(as_written):
    runtime, cost = analysis("instance.max_runtime=60s"), analysis("budget.max_cost=0.01 USD")
    assert not within_limits(cost)(runtime)
    assert not within_limits(runtime)(cost)


@pytest.mark.parametrize("unknown", ["model.id=nobody/knows-this", "instance.region=null"])
def test_a_limit_that_cannot_be_compared_is_not_passed(as_written, unknown):
    """What is not known is said elsewhere (HB118, HB303); a change that leaves it unknown is judged by the rest."""
    assert within_limits(as_written)(analysis(unknown))
