"""HB516: what is said of the served weights, and how they are stored."""

from __future__ import annotations

import pytest
from judged import edge, judged

QWEN = "model: {id: Qwen/Qwen2.5-7B-Instruct}\ndeployment: {tensor_parallel: 1, %s}"
FULL = "hyperparameters: {method: full, lora_r: null, lora_alpha: null, lora_dropout: null, bnb_quant_type: null, "
FULL += "bnb_double_quant: null}\ninstance: {parallelism: fsdp}\ndeployment: {quantization: %s}"


def test_the_edge_is_the_copy_that_is_quantised(tmp_path):
    copy, original = "Qwen/Qwen2.5-7B-Instruct-AWQ", "Qwen/Qwen2.5-7B-Instruct"
    edge("HB516", QWEN % "quantization: awq", "deployment.model", copy, original, tmp_path)


def test_fp8_is_made_by_the_engine(tmp_path):
    assert judged("HB516", QWEN % "quantization: fp8", tmp_path) == []


def test_a_published_copy_is_named(tmp_path):
    (found,) = judged("HB516", QWEN % "quantization: awq", tmp_path)
    assert found.route == ("deployment", "quantization")
    assert found.message == "quantization is awq, but Qwen/Qwen2.5-7B-Instruct is stored in 16 bits"
    assert found.help == "set deployment.model: Qwen/Qwen2.5-7B-Instruct-AWQ"
    assert judged("HB516", QWEN % "quantization: awq, model: Qwen/Qwen2.5-7B-Instruct-AWQ", tmp_path) == []


@pytest.mark.parametrize(
    ("said", "model", "wrong"),
    [
        ("none", "Qwen/Qwen2.5-7B-Instruct-AWQ", True),
        ("gptq", "Qwen/Qwen2.5-7B-Instruct-AWQ", True),
        ("fp8", "Qwen/Qwen2.5-7B-Instruct-AWQ", True),
        ("nf4", "unsloth/Qwen2.5-7B-Instruct-bnb-4bit", False),
        ("none", "unsloth/Qwen2.5-7B-Instruct-bnb-4bit", True),
        ("awq", "s3://bucket/awq/", False),
        ("awq", "team/private-copy", False),
    ],
)
def test_weights_are_what_the_catalog_or_their_author_says(said, model, wrong, tmp_path):
    fragment = QWEN % f'quantization: {said}, model: "{model}"'
    assert bool(judged("HB516", fragment, tmp_path)) is wrong


def test_training_writes_16_bits(tmp_path):
    (found,) = judged("HB516", FULL % "gptq", tmp_path)
    assert found.message == "quantization is gptq, but training writes 16-bit weights"
    assert judged("HB516", FULL % "fp8", tmp_path) == []
    own = f"script: {{entry_point: finetune.py, source_dir: .}}\n{FULL % 'gptq'}"
    assert judged("HB516", own, tmp_path) == []
