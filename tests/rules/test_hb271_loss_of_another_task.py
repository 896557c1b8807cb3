"""HB271: a loss that the task's trainer does not have."""

from __future__ import annotations

from judged import codes, edge

PAIRS = "task: dpo\ndata: {type: preference}\n"


def test_the_edge_is_the_loss(tmp_path):
    edge("HB271", PAIRS, "hyperparameters.loss_type", "sigmoid_norm", "apo_zero_unpaired", tmp_path)


def test_a_task_without_losses_has_no_such_setting(tmp_path):
    assert codes("hyperparameters: {loss_type: kto}", tmp_path) == {"HB213"}
