"""HB508: the claimed latency against the typical answer."""

from __future__ import annotations

import pytest
from judged import SPECS, edge, estimated, judged, largest_within, said

WITHIN_TEN_SECONDS = "expect: {deployment.latency: ..10s}"


def test_the_edge_is_the_number_of_tokens_that_the_bandwidth_allows(tmp_path):
    key = "deployment.typical_output_tokens"
    most = largest_within("HB508", WITHIN_TEN_SECONDS, key, 100, 3000, tmp_path)
    asked = (estimated(f"deployment: {{typical_output_tokens: {tokens}}}", tmp_path) for tokens in (most, most + 1))
    assert [each.serving.tokens_within(10).high - most for each in asked] == [0, 0]
    edge("HB508", WITHIN_TEN_SECONDS, key, most, most + 1, tmp_path)


def test_three_seconds_of_the_plan_are_a_hundred_tokens():
    found = {diagnostic.route: diagnostic.message for diagnostic in said("HB508", SPECS / "heartbeat-as-written.yaml")}
    alternative = found["deployment", "instance", "alternatives", 0]
    assert "the A10G of ml.g5.2xlarge generates at most 67 to 101 tokens" in alternative
    assert "the T4 of ml.g4dn.2xlarge generates at most 35 to 53 tokens" in found["expect", "deployment.latency"]


@pytest.mark.parametrize("claim", ["..10m", "1s..", "soon"])
def test_what_allows_the_answer_or_says_nothing(tmp_path, claim):
    assert judged("HB508", f"expect: {{deployment.latency: {claim}}}", tmp_path) == []


def test_without_a_typical_answer_there_is_nothing_to_cut(tmp_path):
    none = "deployment: {typical_output_tokens: null}\nexpect: {deployment.latency: 1ms..2ms}"
    assert judged("HB508", none, tmp_path) == []


def test_no_low_end(tmp_path):
    (found,) = judged("HB508", "expect: {deployment.latency: ..10ms}", tmp_path)
    assert found.message.startswith("in 10.0 ms the A10G of ml.g5.12xlarge generates at most 1 tokens")
