"""HB251: evaluations and checkpoints against the training itself."""

from __future__ import annotations

import pytest
from judged import codes, edge, judged

ROOMY = "budget: {max_cost: 9999 USD}\ninstance: {max_runtime: 99h}\n"
OFTEN = ROOMY + "hyperparameters: {%s}"


@pytest.mark.parametrize(("every", "found"), [(1, True), (2, True), (3, False), (50, False)])
def test_evaluations(every, found, tmp_path):
    """440 examples on eight GPUs are 55 forward passes, an update four times three: the edge is below 3 updates."""
    assert ("HB251" in codes(OFTEN % f"eval_steps: {every}", tmp_path)) is found


def test_edge(tmp_path):
    edge("HB251", ROOMY, "hyperparameters.eval_steps", 3, 2, tmp_path)


def test_checkpoints_of_all_weights(tmp_path):
    full = "model: {id: deepseek-ai/DeepSeek-R1-Distill-Llama-8B}\ndeployment: null\n"
    full += "instance: {type: ml.p5.48xlarge, parallelism: fsdp, max_runtime: 99h}\nbudget: {max_cost: 9999 USD}\n"
    full += "hyperparameters: {method: full, learning_rate: 1e-5, bnb_quant_type: null, bnb_double_quant: null, "
    full += "lora_r: null, lora_alpha: null, lora_dropout: null, save_steps: %s}"
    assert codes(full % 1, tmp_path) == {"HB251"}
    assert codes(full % 100, tmp_path) == set()


def test_both_times_are_named(tmp_path):
    (found,) = judged("HB251", OFTEN % "eval_steps: 1", tmp_path)
    assert found.route == ("hyperparameters", "eval_steps")
    assert found.message.startswith("eval_steps is 1: evaluations take about ")
    assert ", but training about " in found.message
    assert found.help == "use eval_steps: 75"


def test_what_follows_from_it_is_not_said_too(tmp_path):
    assert codes("hyperparameters: {eval_steps: 1}\ninstance: {max_runtime: 3h}", tmp_path) == {"HB251"}


def test_validation_data_that_outweigh_training_by_themselves(tmp_path):
    much = "data: {validation: {examples: 440000}}\n"
    assert "HB251" not in codes(much + OFTEN % "eval_steps: 50", tmp_path)
