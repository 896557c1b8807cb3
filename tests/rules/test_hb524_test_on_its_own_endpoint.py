"""HB524: a test that would be one deployment with its baseline."""

from __future__ import annotations

from judged import edge, judged

TEST = "deployment: {ab_test: {baseline: today, candidate_weight: 0.1}}"


def test_the_edge_is_the_spec_s_own_name(tmp_path):
    edge("HB524", TEST, "deployment.ab_test.endpoint", "base-live", "base", tmp_path)


def test_both_names_are_said(tmp_path):
    (found,) = judged("HB524", TEST.replace("today,", "today, endpoint: base,"), tmp_path)
    assert found.route == ("deployment", "ab_test", "endpoint")
    assert found.message == "the test joins endpoint 'base', and the spec's own name is 'base' too"


def test_an_endpoint_that_is_not_named_is_not_judged(tmp_path):
    assert judged("HB524", TEST, tmp_path) == []
