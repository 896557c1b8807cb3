"""The verdict in a sentence: ready only where nothing speaks against the plan, and nothing is unknown."""

from __future__ import annotations

import pytest

from hbspec.api import estimate
from hbspec.reporting.verdict import verdict
from hbspec.rules.judge import judge
from reporting.conftest import DAY

SPEC = {
    "hbspec": 1,
    "name": "bot",
    "model": {"id": "Qwen/Qwen2.5-0.5B-Instruct"},
    "data": {"train": {"examples": 4000}, "tokens": {"mean": 300, "max": 900}},
    "instance": {"type": "ml.g5.xlarge", "region": "us-east-1", "price": "1.408 USD/h", "max_runtime": "4h"},
    "hyperparameters": {
        "method": "lora",
        "learning_rate": 2e-4,
        "num_train_epochs": 2,
        "per_device_batch_size": 2,
        "max_length": 1024,
    },
    "budget": {"max_cost": "6 USD"},
}
HUGE = {"model": {"id": "Qwen/Qwen2.5-32B-Instruct"}}


def said(**more):
    """The verdict on the spec with other keys in its sections."""
    spec = {**SPEC, **{name: {**SPEC.get(name, {}), **section} for name, section in more.items()}}
    found = estimate(spec, as_of=DAY)
    return verdict(found, judge(found.analysis))


def test_a_plan_that_nothing_speaks_against_is_ready():
    one = said()
    assert one.text == "Ready: the job fits and keeps its budget, and no finding or claim speaks against it."
    assert one.style == "good"


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({"model": HUGE["model"], "budget": {"max_cost": "900 USD"}}, "it does not fit"),
        ({"budget": {"max_cost": "0.01 USD"}}, "it costs more than its budget"),
        ({"expect": {"training.epochs": 3}}, "1 claim of the author is contradicted"),
        ({"expect": {"training.epochs": 3}}, "hbspec check found 1 error"),
    ],
)
def test_what_keeps_it_from_running_as_planned(more, part):
    one = said(**more)
    assert one.text.startswith("Not ready: ")
    assert part in one.text
    assert one.style == "bad"


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({"instance": {"max_runtime": "10m"}}, "max_runtime is expected to stop it"),
        ({"instance": {"max_runtime": "25m"}}, "max_runtime may stop it"),
        ({"expect": {"training.cost": "0.5 USD..0.7 USD"}}, "1 claim of the author is not confirmed"),
    ],
)
def test_what_may_keep_it_from_that(more, part):
    one = said(**more)
    assert one.text.startswith("Ready, but not certain: ")
    assert part in one.text
    assert one.style == "open"


def test_a_budget_within_the_interval_is_a_doubt():
    expected = estimate(SPEC, as_of=DAY).cost.expected
    one = said(instance={"max_runtime": None}, budget={"max_cost": f"{expected} USD"})
    assert "it may cost more than its budget" in one.text


def test_what_is_not_known_is_a_doubt():
    spec = {**SPEC, "instance": {"gpu": "A10G", "gpus": 1}}
    del spec["budget"]
    found = estimate(spec, as_of=DAY)
    one = verdict(found, judge(found.analysis))
    assert one.style == "open"
    assert "what it costs is not known" in one.text
