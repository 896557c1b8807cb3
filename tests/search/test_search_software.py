"""What memory owes to the software: each line's bytes are the difference of two estimates."""

from __future__ import annotations

import json

import pytest

from hbspec.api import estimate

SPEC = {
    "hbspec": 1,
    "name": "software",
    "model": {"id": "Qwen/Qwen2.5-7B"},
    "data": {"train": {"examples": 2198}, "tokens": {"mean": 374, "max": 1400}},
    "instance": {"type": "ml.g5.2xlarge", "region": "us-east-1"},
    "hyperparameters": {
        "method": "qlora",
        "learning_rate": 1e-4,
        "max_steps": 100,
        "per_device_batch_size": 4,
        "max_length": 2048,
    },
}
MIXTRAL = ["model.id=mistralai/Mixtral-8x7B-v0.1", "instance.type=ml.p4de.24xlarge"]


def lines(*overrides):
    return {entry.fact: entry for entry in estimate(SPEC, overrides=overrides).dependences}


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    "overrides", [[], ["software.trainer=transformers"], ["hyperparameters.method=lora"], MIXTRAL], ids=str
)
def test_the_bytes_are_those_of_the_opposite(overrides):
    now = estimate(SPEC, overrides=overrides)
    assert now.dependences
    for entry in now.dependences:
        (key, value) = next(iter(entry.other.to_dict().items()))
        then = estimate(SPEC, overrides=[*overrides, f"{key}={json.dumps(value)}"])
        difference = then.memory.fullest.peak_allocated.expected - now.memory.fullest.peak_allocated.expected
        assert entry.peak_allocated_bytes == difference != 0


def test_trl_never_holds_the_logits_and_narrows_adapters():
    facts = lines()
    logits = facts["a fused head never holds all logits"]
    assert logits.software == "trl 1.16.0"
    assert logits.peak_allocated_bytes > 0
    assert facts["adapters are bfloat16"].peak_allocated_bytes > 0
    kept = facts["unquantised weights stay bfloat16 (no k-bit preparation)"]
    embedding_and_head = 2 * 152_064 * 3584
    assert kept.peak_allocated_bytes >= 2 * embedding_and_head


def test_the_plain_trainer_does_the_opposite():
    facts = lines("software.trainer=transformers")
    assert facts["all logits are held at once"].peak_allocated_bytes < 0
    assert facts["unquantised weights become float32 (k-bit preparation)"].peak_allocated_bytes < 0
    assert {entry.software for entry in facts.values()} <= {"transformers 5.23.0", "peft 0.21.2"}


def test_an_author_s_loop_has_no_version():
    assert lines("software.trainer=loop")["all logits are held at once"].software == "your loop"


def test_fused_experts_are_not_quantised():
    fact = lines(*MIXTRAL)["experts are one fused parameter per layer, not quantised"]
    assert fact.software == "transformers 5.23.0"
    assert fact.other.to_dict() == {"software.transformers": "4.57.0"}
    assert fact.peak_allocated_bytes < -50 * 10**9


def test_what_the_author_decides_is_no_fact_of_the_software():
    facts = lines("hyperparameters.loss=standard", "software.adapter_dtype=float32", "software.weights_dtype=float32")
    assert not any("logits" in fact or "adapters" in fact or "quantised" in fact for fact in facts)
