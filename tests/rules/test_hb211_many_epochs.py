"""HB211: more than ten epochs."""

from __future__ import annotations

from judged import edge, judged

EVEN = "data: {train: {examples: 2208}}\nbudget: {max_cost: 999 USD}\n"  # 69 full updates


def test_edge(tmp_path):
    epochs = EVEN + "hyperparameters: {max_steps: null}"
    edge("HB211", epochs, "hyperparameters.num_train_epochs", 10, 10.01, tmp_path)


def test_edge_of_the_updates(tmp_path):
    edge("HB211", EVEN, "hyperparameters.max_steps", 690, 691, tmp_path)


def test_the_key_that_is_given_is_named(tmp_path):
    (found,) = judged("HB211", "hyperparameters: {max_steps: null, num_train_epochs: 11}", tmp_path)
    assert found.route == ("hyperparameters", "num_train_epochs")
    assert found.message == (
        "759 updates of effective batch size 32 are 11.0 epochs of 2,198 examples (11.1 nominal), more than 10"
    )
    assert found.help == "reduce num_train_epochs"


def test_ddp_without_a_smaller_accumulation_is_many(tmp_path):
    (found,) = judged("HB211", "hyperparameters: {gradient_accumulation_steps: 32}", tmp_path)
    assert "33.4 epochs of 2,198 examples (34.9 nominal)" in found.message
    assert found.help == "reduce max_steps"


def test_rows_of_lengths_that_are_not_known_have_their_ends(tmp_path):
    fragment = "data: {tokens: null, train: {examples: 2000}}\nhyperparameters: {packing: true, max_steps: 900}"
    (found,) = judged("HB211", fragment, tmp_path)
    assert found.message == (
        "900 updates of effective batch size 32 are about 65.0 (14.3 to 316) epochs of 2,000 examples, more than 10"
    )
