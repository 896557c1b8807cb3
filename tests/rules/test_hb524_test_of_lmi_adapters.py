"""HB524: a request that is valid for the baseline is answered by the base model."""

from __future__ import annotations

import pytest
from judged import edge, judged

TEST = "deployment: {engine: djl-lmi, quantization: none, ab_test: {baseline: today, candidate_weight: 0.1}}"


def test_the_edge_is_the_engine(tmp_path):
    edge("HB524", TEST, "deployment.engine", "vllm", "djl-lmi", tmp_path)


def test_the_engine_and_the_baseline_are_said(tmp_path):
    (found,) = judged("HB524", TEST, tmp_path)
    assert found.route == ("deployment", "engine")
    assert "djl-lmi" in found.message
    assert "today" in found.message


@pytest.mark.parametrize(("key", "count"), [("adapters: merged", 0), ("adapters: separate", 1)])
def test_merged_weights_have_one_name(key, count, tmp_path):
    assert len(judged("HB524", TEST.replace("ab_test", f"{key}, ab_test"), tmp_path)) == count


def test_a_shadow_gets_the_requests_of_the_baseline(tmp_path):
    assert len(judged("HB524", TEST.replace("baseline", "shadow: true, baseline"), tmp_path)) == 1


def test_without_a_test_each_request_may_name_the_adapters(tmp_path):
    alone = "deployment: {engine: djl-lmi, quantization: none}"
    assert judged("HB524", alone, tmp_path) == []
