"""HB218: the data against one update."""

from __future__ import annotations

from judged import edge, judged

SHORT = "data: {train: {examples: %s}}\nhyperparameters: {max_steps: 3}"


def test_edge(tmp_path):
    edge("HB218", SHORT % "null", "data.train.examples", 32, 31, tmp_path)


def test_examples_below_an_update_have_one_message(tmp_path):
    assert judged("HB217", SHORT % 31, tmp_path) == []
    (found,) = judged("HB218", SHORT % 31, tmp_path)
    assert found.message == "an update needs 32 examples, but the training data has 31"


def test_rows_of_lengths_that_are_not_known_have_their_ends(tmp_path):
    fragment = "data: {tokens: null, train: {examples: 100}}\nhyperparameters: {packing: true, max_steps: 3}"
    (found,) = judged("HB218", fragment, tmp_path)
    assert found.message == "an update needs 32 packed rows, but the training data has about 22 (5 to 100)"
