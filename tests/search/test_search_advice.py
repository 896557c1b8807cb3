"""The changes that are offered, on jobs where an expert knows the answer."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest

from hbspec.analysis.changes import larger, smaller, trains_otherwise
from hbspec.api import check, estimate
from hbspec.diagnostics import Severity

ON_ONE_A10G = {
    "hbspec": 1,
    "name": "advice",
    "model": {"id": "Qwen/Qwen2.5-7B"},
    "data": {"train": {"examples": 2198}, "tokens": {"mean": 374, "max": 1400}},
    "instance": {"gpu": "A10G", "host_memory": "256 GiB"},
    "hyperparameters": {
        "method": "qlora",
        "learning_rate": 1e-4,
        "max_steps": 100,
        "per_device_batch_size": 4,
        "gradient_accumulation_steps": 2,
        "max_length": 2048,
    },
}
"""A machine of one's own: no other type can be had, and nothing costs."""


def advice(overrides=(), spec=ON_ONE_A10G):
    return estimate(spec, overrides=overrides).advice


def errors(overrides):
    found = check(ON_ONE_A10G, overrides=overrides).diagnostics
    return {entry.code for entry in found if entry.severity is Severity.ERROR}


def settings(outcome):
    return outcome.change.to_dict()


@pytest.mark.parametrize(("longest", "offered"), [(2000, True), (40000, False)])
def test_no_length_above_the_model_s_positions_is_offered(longest, offered):
    found = advice(
        [
            f"data.tokens.max={longest}",
            "hyperparameters.max_length=1024",
            "hyperparameters.method=qlora",
            "instance.gpu=H100-80",
            "model.id=Qwen/Qwen2.5-7B-Instruct",
        ]
    )
    lengths = [outcome for outcome in found.outcomes if outcome.change.kind == "length"]
    assert found.purpose == "room"
    assert bool(lengths) is offered


class TestFit:
    def test_without_checkpointing_it_is_checkpointing_or_smaller_micro_batches(self):
        found = advice(["hyperparameters.gradient_checkpointing=false"])
        assert found.purpose == "fit"
        assert {"hyperparameters.gradient_checkpointing": True} in [settings(outcome) for outcome in found.outcomes]
        assert {outcome.memory.verdict for outcome in found.outcomes} == {"fits"}

    def test_a_full_fine_tune_has_to_become_adapters_and_says_so(self):
        found = advice(["hyperparameters.method=full"])
        assert found.outcomes
        for outcome in found.outcomes:
            assert settings(outcome)["hyperparameters.method"] in ("lora", "qlora")
            assert "adapters instead of all weights" in outcome.change.remark

    def test_where_two_do_not_do_several_that_train_the_same_come_before_adapters(self):
        """All weights of a 7B on eight A100 of 40 GB, without checkpointing: Adam's states alone are 61 GB."""
        job = {
            **ON_ONE_A10G,
            "data": {"train": {"examples": 150000}, "tokens": {"mean": 620, "max": 6000}},
            "instance": {"type": "ml.p4d.24xlarge", "region": "us-east-1", "parallelism": "ddp"},
            "hyperparameters": {
                "method": "full",
                "learning_rate": 2e-5,
                "num_train_epochs": 2,
                "max_length": 4096,
                "per_device_batch_size": 4,
                "gradient_accumulation_steps": 4,
                "gradient_checkpointing": False,
            },
        }
        found = advice(spec=job)
        same = [settings(outcome) for outcome in found.outcomes if not settings(outcome).get("hyperparameters.method")]
        assert same
        assert {outcome.memory.verdict for outcome in found.outcomes} == {"fits"}
        for change in same:
            assert change["instance.parallelism"] in ("fsdp", "zero2", "zero3")
            assert change["hyperparameters.per_device_batch_size"] == 1
            assert change["hyperparameters.gradient_accumulation_steps"] == 16
        (help_,) = (entry.help for entry in check(job).diagnostics if entry.code == "HB109")
        assert help_.startswith("set parallelism to fsdp, gradient_checkpointing to true")

    def test_two_changes_are_better_than_either(self):
        found = advice(["hyperparameters.gradient_checkpointing=false"])
        took = {outcome.change.kind: outcome.burden.amount or outcome.burden.seconds for outcome in found.outcomes}
        assert any("+" not in kind for kind in took)
        for kind, amount in took.items():
            assert all(amount < took[part] for part in kind.split("+") if part != kind and part in took)

    def test_two_where_one_does_not_do(self):
        found = advice(["hyperparameters.method=lora", "hyperparameters.gradient_checkpointing=false",
                        "model.id=Qwen/Qwen2.5-14B", "data.tokens.max=2000"])  # fmt: skip
        assert found.outcomes
        assert all("+" in outcome.change.kind for outcome in found.outcomes)

    def test_what_cannot_be_is_said(self):
        found = advice(["model.id=Qwen/Qwen2.5-72B", "hyperparameters.method=full"])
        assert found.outcomes == ()
        assert found.tried > 10

    def test_the_cheapest_comes_first(self):
        found = advice(
            ["instance={type: ml.g5.2xlarge, region: us-east-1}", "hyperparameters.gradient_checkpointing=false"]
        )
        assert len(found.outcomes) == 3
        assert all(
            float(f"{a.burden.amount:.3g}") <= float(f"{b.burden.amount:.3g}") for a, b in pairwise(found.outcomes)
        )

    @pytest.mark.long
    def test_nothing_cheaper_was_passed_over(self):
        overrides = [
            "instance={type: ml.g5.2xlarge, region: us-east-1, max_runtime: 5d}",
            "hyperparameters.gradient_checkpointing=false",
            "hyperparameters.max_length=600",
        ]
        now = estimate(ON_ONE_A10G, overrides=overrides)
        analysis = now.analysis
        before = errors(overrides)
        amounts = []
        for change in smaller(analysis.spec, analysis.plan, analysis.catalog):
            written = [*overrides, *(f"{key}={json.dumps(value)}" for key, value in change.to_dict().items())]
            then = estimate(ON_ONE_A10G, overrides=written)
            if then.memory.verdict == "fits" and errors(written) <= before:
                amounts.append(float(f"{then.cost.expected:.3g}"))
        assert len(amounts) > 3
        # two changes on the same machine may be cheaper still
        assert float(f"{now.advice.outcomes[0].burden.amount:.3g}") <= min(amounts)

    def test_the_price_of_the_other_type_goes_with_it(self):
        found = advice(
            [
                "instance={type: ml.g5.2xlarge, region: us-east-1, price: 1 USD/h}",
                "model.id=Qwen/Qwen2.5-72B",
            ]
        )
        moved = [settings(outcome) for outcome in found.outcomes if "instance.type" in settings(outcome)]
        assert moved
        assert all(change["instance.price"] is None for change in moved)

    def test_shards_of_4_bit_weights_are_stored_as_they_are_computed_in(self):
        given = [
            "instance={gpu: A10G, gpus: 4, host_memory: 256 GiB, parallelism: ddp}",
            "model.id=Qwen/Qwen2.5-32B",
            "hyperparameters.per_device_batch_size=1",
        ]
        found = estimate(ON_ONE_A10G, overrides=given).analysis
        changes = (change.to_dict() for change in smaller(found.spec, found.plan, found.catalog))
        sharded = next(change for change in changes if change.get("instance.parallelism") == "fsdp")
        assert sharded["instance.parallelism"] == "fsdp"
        assert sharded["hyperparameters.bnb_4bit_quant_storage"] == "bfloat16"


class TestRoom:
    def test_fewer_accumulation_steps_or_no_recomputation(self):
        found = advice(["hyperparameters.per_device_batch_size=1", "hyperparameters.gradient_accumulation_steps=8"])
        assert found.purpose == "room"
        assert any(outcome.change.kind in ("micro-batch", "checkpointing", "method") for outcome in found.outcomes)
        assert all(outcome.burden.seconds < found.now.burden.seconds for outcome in found.outcomes)

    def test_an_odd_accumulation_is_not_divided(self):
        found = advice(["hyperparameters.per_device_batch_size=1", "hyperparameters.gradient_accumulation_steps=7"])
        assert "micro-batch" not in [outcome.change.kind for outcome in found.outcomes]

    def test_examples_that_are_cut_may_be_whole(self):
        found = advice(
            [
                "hyperparameters.max_length=1024",
                "hyperparameters.method=lora",
                "hyperparameters.gradient_checkpointing=false",
                "hyperparameters.per_device_batch_size=1",
                "hyperparameters.gradient_accumulation_steps=1",
                "model.id=Qwen/Qwen2.5-0.5B",
            ]
        )
        longer = next(outcome for outcome in found.outcomes if outcome.change.kind == "length")
        assert settings(longer) == {"hyperparameters.max_length": 1400}
        assert longer.change.remark == "no example is truncated at 1,024 tokens"
        assert found.outcomes[-1] is longer

    def test_idle_gpus_are_put_to_work(self):
        found = advice(
            [
                "instance={gpu: A10G, gpus: 2, host_memory: 256 GiB, parallelism: single}",
                "hyperparameters.per_device_batch_size=1",
                "hyperparameters.gradient_accumulation_steps=8",
            ]
        )
        change = next(settings(outcome) for outcome in found.outcomes if outcome.change.kind == "parallelism")
        assert change == {"instance.parallelism": "ddp", "hyperparameters.gradient_accumulation_steps": 4}


@pytest.mark.parametrize(
    "missing", ["model.id=some/model-7B", "instance={gpu: RTX PRO 4500}", "instance={type: ml.unheard.of}"]
)
def test_without_a_verdict_there_is_no_advice(missing):
    estimates = estimate(ON_ONE_A10G, overrides=[missing])
    assert estimates.advice is None
    assert estimates.to_dict()["changes"] == []
    assert estimates.dependences == () or estimates.memory is not None


def test_being_stopped_early_is_not_cheaper():
    rented = {**ON_ONE_A10G, "instance": {"type": "ml.g5.2xlarge", "price": "2 USD/h"}}
    stopped, whole = (advice([f"instance.max_runtime={limit}"], rented).now for limit in ("2m", "90h"))
    assert stopped.burden.time.may_be_stopped
    assert stopped.burden.amount == whole.burden.amount > 0


LONG = {
    **ON_ONE_A10G,
    "task": "dpo",
    "model": {"id": "meta-llama/Llama-3.1-8B-Instruct"},
    "data": {"type": "preference", "train": {"examples": 8000}, "tokens": {"mean": 5000, "max": 16000}},
    "instance": {"type": "ml.g5.48xlarge", "region": "us-east-1", "parallelism": "ddp", "max_runtime": "12h"},
    "hyperparameters": {
        "method": "qlora",
        "learning_rate": 5e-6,
        "num_train_epochs": 1,
        "per_device_batch_size": 1,
        "gradient_accumulation_steps": 8,
        "max_length": 16384,
    },
}
"""Pairs that exceed an A10G, and would take nearly as long as they may on eight."""


def test_advice_keeps_the_limit_that_the_job_keeps():
    """The first five types that hold a row, by price, are slower than allowed."""
    now = estimate(LONG)
    assert not now.time.stopped_at("expected")
    assert now.advice.outcomes
    assert not [one for one in now.advice.outcomes if one.burden.time.stopped_at("expected")]
    (found,) = [entry for entry in check(LONG).diagnostics if entry.code == "HB109"]
    (other,) = re.findall(r"type to (ml\.\S+)", found.help)
    changed = estimate(LONG, overrides=[f"instance.type={other}", "hyperparameters.gradient_accumulation_steps=64"])
    assert not changed.time.stopped_at("expected")


def test_what_computes_in_float16_is_said_and_comes_last():
    spec = {**ON_ONE_A10G, "instance": {"type": "ml.g5.4xlarge", "region": "us-east-1", "max_runtime": "20h"}}
    found = estimate(spec).analysis
    types = [one for one in larger(found.spec, found.plan, found.catalog) if one.kind == "instance"]
    rounded = {str(one.settings["instance", "type"]) for one in types if trains_otherwise(one, found.plan)}
    assert rounded
    assert rounded == {name for name in found.catalog.instances if name.startswith(("ml.g4dn.", "ml.p3"))} & {
        str(one.settings["instance", "type"]) for one in types
    }
    shown = [trains_otherwise(one.change, found.plan) for one in advice(spec=spec).outcomes]
    assert shown == sorted(shown)
