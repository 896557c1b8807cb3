"""HB213: options that another setting disables."""

from __future__ import annotations

import pytest
from judged import codes, edge, found_by, judged

from hbspec.api import estimate
from hbspec.diagnostics import route_text

PLAIN_LORA = "hyperparameters: {method: lora, bnb_quant_type: null, bnb_double_quant: null}\n"


def silenced(fragment, folder):
    """The last keys of the options that have no effect."""
    return {diagnostic.route[-1] for diagnostic in judged("HB213", fragment, folder)}


@pytest.mark.parametrize(
    ("fragment", "key", "within", "beyond"),
    [
        ("", "instance.offload", "none", "optimizer"),
        ("", "instance.sharding", None, "full"),
        ("", "instance.gpus", None, 8),
        (f"model: {{id: Qwen/Qwen2.5-7B}}\n{PLAIN_LORA}", "hyperparameters.bnb_double_quant", False, True),
        (f"model: {{id: Qwen/Qwen2.5-7B}}\n{PLAIN_LORA}", "hyperparameters.bnb_quant_type", None, "nf4"),
    ],
)
def test_edge(fragment, key, within, beyond, tmp_path):
    edge("HB213", fragment, key, within, beyond, tmp_path)


def test_the_option_and_the_reason_are_named(tmp_path):
    (found,) = judged("HB213", "instance: {offload: all}", tmp_path)
    assert found.message == "offload all has no effect: parallelism: ddp offloads nothing"
    assert found.help == "delete offload, or change the setting that disables it"
    assert (found.severity, found.route) == ("warning", ("instance", "offload"))


def test_adapters_where_all_is_trained(tmp_path):
    assert silenced("hyperparameters: {method: full}", tmp_path) == {
        "lora_r", "lora_alpha", "lora_dropout", "bnb_quant_type", "bnb_double_quant",
    }  # fmt: skip


def test_scales_of_int8(tmp_path):
    assert silenced("hyperparameters: {bnb_quant_type: int8}", tmp_path) == {"bnb_double_quant"}


def test_shards_and_offload(tmp_path):
    assert silenced("instance: {sharding: hybrid, offload: optimizer}", tmp_path) == {"sharding", "offload"}
    assert silenced("instance: {parallelism: zero2, offload: optimizer}", tmp_path) == set()
    assert silenced("instance: {offload: none}", tmp_path) == set()


@pytest.mark.parametrize("parallelism", ["single", "ddp", "zero2", "zero3"])
def test_sharding_of_what_is_not_fsdp(parallelism, tmp_path):
    fragment = f"instance: {{parallelism: {parallelism}, sharding: hybrid}}\nhyperparameters: {{method: lora}}"
    assert "instance.sharding" in {route_text(found.route) for found in judged("HB213", fragment, tmp_path)}


@pytest.mark.parametrize(
    ("parallelism", "offload", "really"),
    [
        ("ddp", "all", "none"),
        ("single", "optimizer", "none"),
        ("zero2", "all", "optimizer"),
        ("zero3", "all", "all"),
        ("fsdp", "all", "all"),
    ],
)
def test_offload_counts_where_it_has_an_effect(parallelism, offload, really, tmp_path):
    fragment = f"instance: {{parallelism: {parallelism}, offload: {offload}}}"
    silent = [found for found in found_by("HB213", fragment, tmp_path) if found.route[-1] == "offload"]
    assert bool(silent) == (offload != really)
    plan = estimate(tmp_path / "spec.yaml", overrides=[f"instance.offload={really}"]).plan
    assert estimate(tmp_path / "spec.yaml").plan == plan


def test_a_machine_that_is_not_described(tmp_path):
    described = "gpus: 8, host_memory: 1 TiB, gpu_memory: 40 GiB, network: 400 Gb/s"
    assert silenced(f"instance: {{{described}}}", tmp_path) == {"gpus", "host_memory", "gpu_memory", "network"}
    assert silenced(f"instance: {{type: null, gpu: A100-40, {described}}}", tmp_path) == set()


def test_the_rank_of_adapters_that_are_merged(tmp_path):
    assert silenced("deployment: {max_lora_rank: 32, adapters: merged}", tmp_path) == {"max_lora_rank"}
    whole = "hyperparameters: {method: full}\ndeployment: {max_lora_rank: 32}"
    assert "max_lora_rank" in silenced(whole, tmp_path)
    assert silenced("deployment: {max_lora_rank: 32, adapters: separate}", tmp_path) == set()


def test_the_rank_that_the_engine_is_told_to_serve(tmp_path):
    """Adapters are served beside the model unless the author merges them: what HB503 asks for has an effect."""
    fragment = "hyperparameters: {lora_r: 32, lora_alpha: 64}\ndeployment: {max_lora_rank: %s}"
    assert len(judged("HB503", fragment % 16, tmp_path)) == 1
    assert judged("HB503", fragment % 32, tmp_path) == []
    assert silenced(fragment % 32, tmp_path) == set()


@pytest.mark.parametrize("warmup", ["warmup_steps: 20", "warmup_ratio: 0.03"])
def test_warm_up_of_a_schedule_without_one(warmup, tmp_path):
    (found,) = judged("HB213", f"hyperparameters: {{lr_scheduler_type: constant, {warmup}}}", tmp_path)
    assert found.message == f"{warmup.replace(':', '')} has no effect: lr_scheduler_type: constant does not warm up"
    fragment = f"hyperparameters: {{lr_scheduler_type: constant_with_warmup, {warmup}}}"
    assert "HB213" not in codes(fragment, tmp_path)


def test_packing_of_a_trainer_without_it(tmp_path):
    packed = "hyperparameters: {packing: true}\nsoftware: {trainer: %s}\n"
    (found,) = judged("HB213", packed % "transformers", tmp_path)
    assert found.message == "packing true has no effect: trainer: transformers does not pack"
    assert "HB213" not in codes(packed % "trl", tmp_path)
    own = "deployment: null\nscript: {entry_point: finetune.py}\n"
    assert found_by("HB213", own + packed % "transformers", tmp_path) == []  # a script may pack by itself


@pytest.mark.parametrize(
    ("adapter", "told"), [("", True), ("adapter: s3://bucket/first/, ", True), ("adapter: acme/first, ", False)]
)
def test_a_revision_of_adapters_is_one_of_the_hub(adapter, told, tmp_path):
    fragment = f"model: {{{adapter}adapter_revision: v1.0}}"
    assert ("adapter_revision" in silenced(fragment, tmp_path)) is told
