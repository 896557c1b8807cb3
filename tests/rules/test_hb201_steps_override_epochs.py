"""HB201: updates against epochs."""

from __future__ import annotations

from judged import edge, judged


def test_edge(tmp_path):
    edge("HB201", "hyperparameters: {max_steps: 207}", "hyperparameters.num_train_epochs", 3, 3.01, tmp_path)


def test_edge_of_the_updates(tmp_path):
    edge("HB201", "hyperparameters: {num_train_epochs: 3}", "hyperparameters.max_steps", 207, 208, tmp_path)


def test_the_epochs_really_run_are_named(tmp_path):
    (found,) = judged("HB201", "hyperparameters: {max_steps: 207, num_train_epochs: 4}", tmp_path)
    assert found.message == "num_train_epochs 4 is overridden by max_steps 207: 207 updates are 3.00 epochs"


def test_without_counts_both_are_still_one_too_many(tmp_path):
    fragment = "data: {train: {examples: null}}\nhyperparameters: {max_steps: 207, num_train_epochs: 3}"
    (found,) = judged("HB201", fragment, tmp_path)
    assert found.message == "num_train_epochs 3 is overridden by max_steps 207"


def test_rows_of_lengths_that_are_not_known_have_their_ends(tmp_path):
    fragment = "data: {tokens: null, train: {examples: 2000}}\n"
    fragment += "hyperparameters: {packing: true, max_steps: 20, num_train_epochs: 3}"
    (found,) = judged("HB201", fragment, tmp_path)
    assert found.message == (
        "num_train_epochs 3 is overridden by max_steps 20: 20 updates are about 1.46 (0.32 to 7.03) epochs"
    )
