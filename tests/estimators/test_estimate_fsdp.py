"""FSDP's memory on one GPU: what is loaded, gathered and accumulated, by version."""

from __future__ import annotations

import pytest
from planned import FULL, planned

from hbspec.estimators.step.duration import micro_batch, update
from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.states import states_of
from hbspec.estimators.training.memory import memory, memory_while_loading
from hbspec.estimators.weights import training_weights
from hbspec.plan import Plan

LLAMA_70B, MISTRAL = "meta-llama/Llama-3.1-70B", "mistralai/Mistral-7B-v0.3"
FOUR_BIT = {"method": "qlora", "lora_r": 8, "bnb_4bit_quant_storage": "bfloat16"}
OWN = {"script": {"entry_point": "train.py"}}
FSDP = {"parallelism": "fsdp"}


def quantised(transformers: str = "5.23.0", accelerate: str = "1.15.0", **method: object) -> Plan:
    """A 70B in 4 bits on eight GPUs."""
    software = {"trainer": "trl", "transformers": transformers, "accelerate": accelerate}
    return planned(
        LLAMA_70B,
        instance={**FSDP, "fsdp_version": 2},
        method={**FOUR_BIT, **method},
        sections={"software": software, **OWN},
    )


@pytest.mark.parametrize("version", [1, 2])
def test_a_whole_model_of_16_bits_is_beside_its_shards_while_it_is_sharded(version):
    held = [
        memory_while_loading(
            planned(MISTRAL, instance={**FSDP, "fsdp_version": version, "loads_whole": whole}, method=FULL)
        )
        for whole in (True, False)
    ]
    assert sum(held[1].terms.values()) < 4.1 * 7.25e9 / 8 + 1e9
    shards = 2 * 7.25e9 / (8 if version == 2 else 32)
    assert sum(held[0].terms.values()) == pytest.approx(2 * 7.25e9 + shards, rel=0.03)


def test_every_gpu_loads_all_of_it_since_transformers_5():
    plan = quantised()
    whole = sum(training_weights(plan.architecture, plan.training).values())
    loading = memory_while_loading(plan)
    assert 39.4e9 < whole < 39.6e9
    assert loading.terms["shards"] == pytest.approx((whole - loading.terms["quantization_scales"]) / 8, rel=0.01)
    assert loading.peak_allocated.low == loading.peak_allocated.high > whole * 1.12


@pytest.mark.parametrize(
    ("transformers", "whole"), [("4.38.2", True), ("4.39.0", None), ("4.57.6", None), ("5.0.0", True)]
)
def test_where_it_loads_depends_on_transformers(transformers, whole):
    assert quantised(transformers).fsdp.loads_whole is whole


def test_what_is_not_known_is_the_high_end():
    load = memory_while_loading(quantised("4.57.6"))
    assert load.peak_allocated.expected < 10e9
    assert load.peak_allocated.high > 39.5e9
    assert memory(quantised("4.57.6")).fullest.peak_allocated.high >= load.peak_allocated.high


@pytest.mark.parametrize(("accelerate", "left"), [("1.13.0", False), ("1.14.0", True)])
def test_integers_are_left_whole_by_accelerate(accelerate, left):
    plan = quantised(accelerate=accelerate, bnb_4bit_quant_storage="uint8")
    assert plan.fsdp.leaves_whole is left
    job = job_of(plan)
    here = states_of(job, Stage(0, 80, embedding=True, head=True)).weights["quantized_weights"]
    assert here == job.weights["quantized_weights"] // (1 if left else 8)


def held(accelerate: str = "1.15.0", version: int = 2, trainer: str = "trl", **hyperparameters: object) -> int:
    """Bytes of gradients that are accumulated while a full fine-tune of a 7B computes on eight GPUs."""
    sections = {"software": {"trainer": trainer, "accelerate": accelerate}, **OWN}
    instance = {**FSDP, "fsdp_version": version}
    job = job_of(planned(MISTRAL, instance=instance, method=FULL, sections=sections, **hyperparameters))
    return states_of(job, Stage(0, 32, embedding=True, head=True)).accumulated


PARAMETERS = 7_248_023_552


@pytest.mark.parametrize(
    ("settings", "unsharded"),
    [
        ({}, True),
        ({"version": 1}, True),
        ({"accelerate": "1.10.1"}, False),
        ({"accelerate": "1.10.1", "version": 1}, True),
        ({"sync_each_batch": True}, False),
        ({"trainer": "loop"}, False),
        ({"trainer": "loop", "sync_each_batch": False, "fp16": False, "bf16": True}, True),
    ],
    ids=str,
)
def test_gradients_are_accumulated_in_two_bytes(settings, unsharded):
    """Whole where `no_sync` holds them back; else as many as the shards, in the dtype of the parameters."""
    found = held(**settings)
    element = 2 if settings.get("trainer") == "loop" else 4
    assert found == (2 * PARAMETERS if unsharded else element * PARAMETERS // 8)


def test_without_mixed_precision_they_are_as_wide_as_the_weights():
    assert held(bf16=False) == 4 * PARAMETERS


def test_an_update_of_one_micro_batch_accumulates_nothing():
    assert held(gradient_accumulation_steps=1) == 0


def test_weights_that_stay_gathered_are_whole_at_the_loss():
    freed, kept = (
        memory(planned(MISTRAL, instance={**FSDP, "reshard_after_forward": reshard}, method=FULL)).fullest
        for reshard in (True, False)
    )
    layers = 2 * (PARAMETERS - 2 * 32_768 * 4096)
    assert kept.terms["gathered_weights"] - freed.terms["gathered_weights"] == pytest.approx(layers * 31 / 32, rel=0.01)


def test_they_are_gathered_once_and_gradients_reduced_once_an_update():
    plain, kept, synced = (
        planned(MISTRAL, instance={**FSDP, **instance}, method=FULL, **more)
        for instance, more in (({}, {}), ({"reshard_after_forward": False}, {}), ({}, {"sync_each_batch": True}))
    )
    assert micro_batch(kept, 512).sent.expected == pytest.approx(micro_batch(plain, 512).sent.expected / 2)
    reduced = micro_batch(synced, 512).sent.expected - micro_batch(plain, 512).sent.expected
    assert update(plain).sent.expected - update(synced).sent.expected == pytest.approx(reduced)
    assert reduced > 0
