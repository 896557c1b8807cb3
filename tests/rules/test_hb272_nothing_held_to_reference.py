"""HB272: a `beta` of 0 where the loss is a comparison with the reference."""

from __future__ import annotations

from judged import codes, edge

PAIRS = "task: dpo\ndata: {type: preference}\n"


def test_the_edge_is_zero(tmp_path):
    edge("HB272", PAIRS, "hyperparameters.beta", 0.001, 0, tmp_path)


def test_a_loss_of_chosen_answers_alone_has_no_beta(tmp_path):
    assert codes(PAIRS + "hyperparameters: {beta: 0, loss_type: sft}", tmp_path) == set()


def test_grpo_has_no_reference_by_default(tmp_path):
    grpo = "task: grpo\ndata: {type: prompt_only}\nreward: {functions: [finetune.py:train]}\nhyperparameters: {beta: 0}"
    assert "HB272" not in codes(grpo, tmp_path)
