"""HB205: lengths against the positions of the model."""

from __future__ import annotations

from judged import edge, judged

GEMMA = "model: {id: google/gemma-2-9b}\nhyperparameters: {attn_implementation: eager}\n"  # 8,192 positions


def test_edge(tmp_path):
    long = "data: {tokens: {mean: 4000, max: 8192}}\ninstance: {type: ml.p5en.48xlarge, price: 80 USD/h}\n"
    edge("HB205", f"{GEMMA}{long}deployment: null", "hyperparameters.max_length", 8192, 8193, tmp_path)


def test_edge_of_an_endpoint(tmp_path):
    edge("HB205", GEMMA, "deployment.max_model_len", 8192, 8193, tmp_path)


def test_both_lengths_are_named(tmp_path):
    (found,) = judged("HB205", "model: {id: google/gemma-2-9b}\nhyperparameters: {max_length: 8193}", tmp_path)
    assert found.message == "max_length 8,193 exceeds the model's 8,192 positions"
    assert found.help == "set max_length to at most 8192"
