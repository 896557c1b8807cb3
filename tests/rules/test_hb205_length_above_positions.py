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


GRPO = (
    "task: grpo\ndeployment: null\nreward: {functions: [finetune.py:train]}\n"
    "data: {type: prompt_only, tokens: {mean: 100, max: 200}}\n"
    "model: {id: google/gemma-2-9b}\nhyperparameters: {attn_implementation: eager, max_length: none%s}\n"
)


def test_without_a_cap_the_longest_example_is_named(tmp_path):
    uncapped = "model: {id: google/gemma-2-9b}\ndata: {tokens: {mean: 900, max: 40200}}\n%s"
    (found,) = judged("HB205", uncapped % "hyperparameters: {max_length: none}", tmp_path)
    assert found.message == (
        "max_length is none, and the longest example, 40,200 tokens, exceeds the model's 8,192 positions"
    )
    assert found.help == "set max_length to at most 8192"


def test_edge_of_a_completion_that_nothing_caps(tmp_path):
    """The longest prompt has 200 tokens; 8,192 positions."""
    edge("HB205", GRPO % "", "hyperparameters.max_completion_length", 7992, 7993, tmp_path)


def test_completions_that_leave_no_prompt_are_said(tmp_path):
    (found,) = judged("HB205", GRPO % ", max_completion_length: 9000", tmp_path)
    assert found.message == "max_completion_length 9,000 leaves no room for a prompt in the model's 8,192 positions"
    assert found.help == "set max_completion_length to at most 7992"
    unknown = (GRPO % ", max_completion_length: 9000").replace("tokens: {mean: 100, max: 200}", "tokens: null")
    assert len(judged("HB205", unknown, tmp_path)) == 1


def test_an_own_script_is_told_of_what_its_author_wrote(tmp_path):
    own = GRPO.replace("max_length: none", "max_length: 1024") + "script: {source_dir: ., entry_point: finetune.py}"
    (found,) = judged("HB205", own % ", max_completion_length: 8000", tmp_path)
    assert found.message == (
        "a prompt of 200 tokens with max_completion_length 8,000 exceeds the model's 8,192 positions"
    )


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
