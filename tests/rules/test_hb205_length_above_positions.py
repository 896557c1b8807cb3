"""HB205: lengths against the positions of the model."""

from __future__ import annotations

import pytest
from judged import edge, judged

from hbspec.diagnostics import Severity

GEMMA = "model: {id: google/gemma-2-9b}\nhyperparameters: {attn_implementation: eager}\n"  # 8,192 positions


def test_edge(tmp_path):
    long = "data: {tokens: {mean: 4000, max: 8192}}\ninstance: {type: ml.p5en.48xlarge}\n"
    edge("HB205", f"{GEMMA}{long}deployment: null", "hyperparameters.max_length", 8192, 8193, tmp_path)


def test_edge_of_an_endpoint(tmp_path):
    edge("HB205", GEMMA, "deployment.max_model_len", 8192, 8193, tmp_path)


def test_positions_of_packed_rows_begin_again_with_each_example(tmp_path):
    """Axolotl's examples/archived/tiny-llama: rows of 4,096 tokens for a model with 2,048 positions."""
    packed = "model: {id: TinyLlama/TinyLlama_v1.1}\nhyperparameters: {max_length: 4096, packing: true%s}\n%s"
    assert judged("HB205", packed % ("", "deployment: null"), tmp_path) == []
    assert judged("HB205", packed % ("", "data: {tokens: null}\ndeployment: null"), tmp_path) == []
    slip = packed.replace("4096", "4096000") % ("", "deployment: null")
    assert len(judged("HB205", slip, tmp_path)) == 1
    assert len(judged("HB205", packed % (", packing_strategy: wrapped", "deployment: null"), tmp_path)) == 1
    assert (
        len(judged("HB205", packed % ("", "data: {tokens: {mean: 900, max: 3000}}\ndeployment: null"), tmp_path)) == 1
    )


def test_both_lengths_are_named(tmp_path):
    (found,) = judged("HB205", "model: {id: google/gemma-2-9b}\nhyperparameters: {max_length: 8193}", tmp_path)
    assert found.message == "max_length 8,193 exceeds the model's 8,192 positions"
    assert found.help == "set max_length to at most 8192"


def test_training_is_warned_and_serving_refused(tmp_path):
    (training,) = judged("HB205", "model: {id: google/gemma-2-9b}\nhyperparameters: {max_length: 8193}", tmp_path)
    (serving,) = judged("HB205", f"{GEMMA}deployment: {{max_model_len: 8193}}", tmp_path)
    assert (training.severity, serving.severity) == (Severity.WARNING, Severity.ERROR)


@pytest.mark.parametrize("family", ["llama", "gemma2", "qwen3"])
def test_transformers_computes_the_angles_of_any_position(family):
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "vocab_size": 64, "head_dim": 8}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "attn_implementation": "eager"}
    config = AutoConfig.for_model(family, **sizes, **heads, max_position_embeddings=16)
    ids = torch.arange(48)[None]
    AutoModelForCausalLM.from_config(config)(input_ids=ids, labels=ids).loss.backward()
