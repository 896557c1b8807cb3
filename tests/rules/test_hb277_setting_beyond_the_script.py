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
        ("", "model.added_tokens", 4),
        ("", "hyperparameters.eval_strategy", "no"),
        ("", "hyperparameters.save_strategy", "no"),
        (FULL, "hyperparameters.unfrozen_parameters", [".*mlp.*"]),
    ],
)
def test_edge(fragment, key, beyond, tmp_path):
    edge("HB277", fragment, key, None, beyond, tmp_path)


DPO = f"{FULL}\ntask: dpo\ndata: {{type: preference}}\n"
GRPO = (
    "deployment: null\ntask: grpo\ndata: {type: prompt_only}\nreward: {functions: ['mine.py:f']}\n"
    "instance: {max_runtime: 5d}\nbudget: {max_cost: 9999 USD}\n"
)


@pytest.mark.parametrize(
    ("fragment", "key", "taken", "beyond"),
    [
        (DPO, "hyperparameters.loss_type", "ipo", "exo_pair"),
        (GRPO, "hyperparameters.use_vllm", False, True),
        (GRPO, "hyperparameters.activation_offloading", False, True),
        (GRPO, "hyperparameters.load_best_model_at_end", False, True),
        (GRPO, "monitoring.loss", None, {"decreasing_over": "10 steps"}),
    ],
)
def test_a_task_has_fewer_settings(fragment, key, taken, beyond, tmp_path):
    edge("HB277", fragment, key, taken, beyond, tmp_path)


def test_another_framework_may_do_it(tmp_path):
    fragment = "software: {trainer: other}\nhyperparameters: {merge_weights: true, save_strategy: 'no'}"
    assert "HB277" not in codes(f"{fragment}\ndeployment: null", tmp_path)
