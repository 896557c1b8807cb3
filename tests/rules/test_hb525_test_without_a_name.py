"""HB525: the name by which requests to the baseline ask for their model."""

from __future__ import annotations

from judged import edge, judged

TEST = "deployment: {ab_test: {baseline: today, candidate_weight: 0.1}}"


def test_the_edge_is_the_name(tmp_path):
    edge("HB525", TEST, "deployment.ab_test.served_model_name", "assistant", None, tmp_path)


def test_the_baseline_and_the_key_are_said(tmp_path):
    (found,) = judged("HB525", TEST, tmp_path)
    assert found.route == ("deployment", "ab_test", "served_model_name")
    assert "today" in found.message
    assert "deployment.ab_test.served_model_name" in found.help


def test_without_a_test_there_is_no_other_name(tmp_path):
    assert judged("HB525", "deployment: {ab_test: null}", tmp_path) == []
