"""HB212: 4-bit training of a mixture of experts."""

from __future__ import annotations

from judged import edge, estimated, judged

GPT_OSS = "model: {id: openai/gpt-oss-20b}\n"


def test_edge(tmp_path):
    machine = "instance: {type: ml.p5en.48xlarge}\nhyperparameters: {attn_implementation: eager}"
    edge("HB212", GPT_OSS + machine, "software.transformers", "4.57.6", "5.0.0", tmp_path)


def test_the_size_of_the_experts_is_named(tmp_path):
    fragment = GPT_OSS + "software: {transformers: 5.0.0}"
    (found,) = judged("HB212", fragment, tmp_path)
    dtype = estimated(fragment, tmp_path).plan.training.weights_dtype
    size = {"float32": "76.4 GB", "bfloat16": "38.2 GB"}[dtype]  # 19.1 billion parameters
    assert found.message.endswith(f"unquantised (transformers 5.0.0): {size} in {dtype}")
