"""HB262: float16 for weights that are published in bfloat16."""

from __future__ import annotations

import pytest
from judged import codes, edge, judged

LLAMA_2 = "model: {id: meta-llama/Llama-2-7b-hf}\ndeployment: null\n"


def test_edge(tmp_path):
    edge("HB262", "", "hyperparameters.fp16", None, True, tmp_path)


def test_weights_that_are_published_in_float16(tmp_path):
    assert "HB262" not in codes(f"{LLAMA_2}hyperparameters: {{fp16: true}}", tmp_path)


@pytest.mark.parametrize(
    "fragment",
    [
        "model: {id: Qwen/Qwen2.5-0.5B}\ninstance: {type: ml.g4dn.12xlarge}\nhyperparameters: {fp16: true}",
        "hyperparameters: {fp16: false, bf16: true}",
    ],
)
def test_a_gpu_without_bfloat16_and_bfloat16_itself(fragment, tmp_path):
    assert "HB262" not in codes(fragment, tmp_path)


def test_both_formats_are_one_finding(tmp_path):
    assert codes("hyperparameters: {bf16: true, fp16: true}", tmp_path) == {"HB210"}


def test_the_model_and_the_gpu_are_named(tmp_path):
    (found,) = judged("HB262", "hyperparameters: {fp16: true}", tmp_path)
    assert found.message == (
        "fp16 is true, but the weights of deepseek-ai/DeepSeek-R1-Distill-Qwen-32B are bfloat16, "
        "which the A100-40 supports"
    )
