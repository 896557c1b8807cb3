"""HB216: checkpoints against the updates of the run."""

from __future__ import annotations

from judged import edge, judged


def test_edge(tmp_path):
    edge("HB216", "", "hyperparameters.save_steps", 300, 301, tmp_path)


def test_edge_of_a_run_counted_in_epochs(tmp_path):
    one_epoch = "hyperparameters: {max_steps: null, num_train_epochs: 1}"
    edge("HB216", one_epoch, "hyperparameters.save_steps", 69, 70, tmp_path)


def test_both_numbers_of_updates_are_named(tmp_path):
    (found,) = judged("HB216", "hyperparameters: {save_steps: 500}", tmp_path)
    assert found.message == "save_steps 500 exceeds the 300 updates of the run: nothing is saved before the end"
    assert found.help == "use save_steps: 75"
