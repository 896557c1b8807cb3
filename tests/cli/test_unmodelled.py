"""A spec whose model no family describes, through `check`, `estimate` and `compile`."""

from __future__ import annotations

import json

import pytest

from hbspec.targets import names

MOE = {
    "model_type": "own_moe",
    "hidden_size": 1024,
    "num_hidden_layers": 12,
    "num_attention_heads": 16,
    "num_key_value_heads": 4,
    "vocab_size": 32000,
    "moe_intermediate_size": 512,
    "num_experts": 16,
    "num_experts_per_tok": 2,
    "hidden_act": "silu",
    "max_position_embeddings": 4096,
    "tie_word_embeddings": False,
}
SPEC = """\
hbspec: 1
name: unmodelled
model: {id: own/moe, config: ./config.json}
data: {train: {uri: "s3://bucket/train/", examples: 500}, tokens: {mean: 200, max: 500}}
instance: {type: ml.g5.2xlarge, region: us-east-1}
hyperparameters: {method: lora, learning_rate: 2e-4, per_device_batch_size: 2, max_length: 512}
sagemaker: {role: "arn:aws:iam::123456789012:role/job", output: "s3://bucket/out/"}
deployment: {instance: {type: ml.g5.2xlarge}, max_model_len: 2048, adapters: separate}
"""


@pytest.fixture
def unmodelled(hbspec):
    hbspec.write("config.json", json.dumps(MOE))
    hbspec.write("own.yaml", SPEC)
    return hbspec


def test_check_warns_once_and_skips_what_needs_the_layers(unmodelled):
    code, out, _ = unmodelled("check", "own.yaml")
    assert code == 0
    assert out.count("HB131") == 1
    assert "own_moe is not modelled: hbspec has bounds from its config only" in out
    assert "run `hbspec model add ./config.json`" in out


def test_estimate_gives_intervals_and_says_so(unmodelled):
    code, out, _ = unmodelled("estimate", "own.yaml")
    assert code == 0
    assert "bounds: own_moe is not modelled" in out
    for section in ("Memory: fits", "Time: ", "Cost: "):
        assert section in out


def test_json_has_both_ends_and_the_reason(unmodelled):
    found = json.loads(unmodelled("estimate", "own.yaml", "--format", "json")[1])
    parameters = found["plan"]["bounds"]["parameters"]
    assert found["plan"]["bounds"]["model_type"] == "own_moe"
    assert parameters["low"] < parameters["expected"] < parameters["high"]
    assert found["plan"]["trainable_parameters"] is None
    assert "own_moe is not modelled" in found["plan"]["unknown"]["architecture"]
    process = found["memory"]["devices"][0]["process_bytes"]
    assert process["low"] < process["expected"] < process["high"]
    assert "serving" in found["unknown"] or found["serving"]["unknown"]


@pytest.mark.one_in(4)
@pytest.mark.parametrize("target", names())
def test_it_compiles_without_force(target, unmodelled):
    needed = {
        "evaluation": ("--set", "evaluation=[{suite: mathematical-accuracy, min_score: 0.5}]"),
        "monitoring": ("--set", "monitoring.gpu_memory.max=20 GB"),
        "llamafactory": ("--set", "hyperparameters.loss=standard"),
        **dict.fromkeys(("hyperpod", "kubeflow", "skypilot", "slurm"), ("--set", "instance.max_runtime=8h")),
    }
    code, _, err = unmodelled("compile", "own.yaml", "--target", target, "--output", "out", *needed.get(target, ()))
    assert code == 0
    assert "HB131" in err


def test_what_is_compiled_does_not_depend_on_unknown_layers(unmodelled):
    """No names of modules are written; dropout, which peft refuses on fused experts, is off."""
    unmodelled("compile", "own.yaml", "--target", "launch", "--output", "out")
    written = json.loads((unmodelled.folder / "out" / "hyperparameters.json").read_text())
    assert written["LORA_DROPOUT"] == "0.0"
    assert "TARGET_MODULES" not in written
