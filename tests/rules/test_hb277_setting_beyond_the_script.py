"""HB277: settings that only another script or framework can follow."""

from __future__ import annotations

import pytest
from judged import codes, edge

FULL = (
    "model: {id: Qwen/Qwen2.5-0.5B}\ndeployment: null\nhyperparameters: {method: full, lora_r: null, lora_alpha: null, "
    "lora_dropout: null, bnb_quant_type: null, bnb_double_quant: null, learning_rate: 2e-5}"
)


@pytest.mark.parametrize(
    ("fragment", "key", "beyond"),
    [
        ("", "hyperparameters.merge_weights", True),
        ("", "hyperparameters.optimizer_in_bwd", True),
        ("", "model.adapter", "someone/adapters"),
        ("", "model.added_tokens", 4),
        ("", "hyperparameters.eval_strategy", "no"),
        ("", "hyperparameters.save_strategy", "no"),
        (FULL, "hyperparameters.unfrozen_parameters", [".*mlp.*"]),
    ],
)
def test_edge(fragment, key, beyond, tmp_path):
    edge("HB277", fragment, key, None, beyond, tmp_path)


def test_another_framework_may_do_it(tmp_path):
    fragment = "software: {trainer: other}\nhyperparameters: {merge_weights: true, save_strategy: 'no'}"
    assert "HB277" not in codes(f"{fragment}\ndeployment: null", tmp_path)
