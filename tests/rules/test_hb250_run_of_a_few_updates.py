"""HB250: runs of a few updates on much data."""

from __future__ import annotations

from judged import codes, edge, judged

MUCH = "data: {train: {examples: 20000}}"


def test_edge(tmp_path):
    edge("HB250", MUCH, "hyperparameters.max_steps", 10, 9, tmp_path)


def test_edge_of_the_share(tmp_path):
    edge("HB250", "hyperparameters: {max_steps: 9}", "data.train.examples", 2880, 2912, tmp_path)


def test_all_of_a_few_examples_is_a_run(tmp_path):
    assert "HB250" not in codes("data: {train: {examples: 64}}\nhyperparameters: {max_steps: 3}", tmp_path)


def test_what_follows_from_it_is_not_said_too(tmp_path):
    fragment = f"{MUCH}\nhyperparameters: {{max_steps: 1, save_steps: 50, eval_steps: 50, warmup_steps: 9}}"
    assert codes(fragment, tmp_path) == {"HB250"}


def test_the_part_of_the_data_is_named(tmp_path):
    (found,) = judged("HB250", f"{MUCH}\nhyperparameters: {{max_steps: 2}}", tmp_path)
    assert found.message == "the run has 2 updates and sees 0.3% of the 20,000 examples"


def test_rows_of_lengths_that_are_not_known_have_their_ends(tmp_path):
    fragment = "data: {tokens: null, train: {examples: 20000}}\nhyperparameters: {packing: true, max_steps: 1}"
    (found,) = judged("HB250", fragment, tmp_path)
    assert found.message == "the run has 1 update and sees about 0.8% (0.2% to 3.5%) of the 20,000 examples"
