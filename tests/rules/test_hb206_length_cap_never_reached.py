"""HB206: the cap against the longest example."""

from __future__ import annotations

from judged import SPECS, edge, judged, said


def test_edge(tmp_path):
    edge("HB206", "", "hyperparameters.max_length", 1033, 1034, tmp_path)  # 1.5 times 689 tokens


def test_the_cap_of_the_seed_is_never_reached():
    (found,) = said("HB206", SPECS / "heartbeat-as-written.yaml")
    assert found.message.startswith("max_length 4,096 is never reached")


def test_both_lengths_are_named(tmp_path):
    (found,) = judged("HB206", "hyperparameters: {max_length: 4096}", tmp_path)
    assert found.message == "max_length 4,096 is never reached: the longest example has 689 tokens"
    assert found.help == "use max_length: 704, which truncates nothing"
    assert (found.severity, found.confidence) == ("note", "certain")


def test_unknown_lengths_decide_nothing(tmp_path):
    assert judged("HB206", "data: {tokens: null}\nhyperparameters: {max_length: 64}", tmp_path) == []


def test_packed_rows_reach_any_cap(tmp_path):
    assert judged("HB206", "hyperparameters: {max_length: 4096, packing: true}", tmp_path) == []
