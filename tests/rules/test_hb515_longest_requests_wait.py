"""HB515: the KV cache of all requests at their longest."""

from __future__ import annotations

import pytest
from judged import edge, judged, largest_within


def test_the_edge_is_the_number_of_longest_requests_that_surely_fit(tmp_path):
    most = largest_within("HB515", "", "deployment.concurrency", 4, 128, tmp_path)
    edge("HB515", "", "deployment.concurrency", most, most + 1, tmp_path)


def test_long_requests_that_only_wait_are_a_warning(tmp_path):
    many = "deployment: {concurrency: 128}"
    assert judged("HB502", many, tmp_path) == []
    (found,) = judged("HB515", many, tmp_path)
    assert (found.severity, found.route) == ("warning", ("deployment", "concurrency"))
    assert "128 x 4,096 tokens need 128.00 GiB of KV cache" in found.message
    assert "room for 39 to 59 of them, or 207 to 315 typical ones of 774 tokens" in found.message


def test_without_a_typical_answer_one_longest_request_must_fit(tmp_path):
    open_ended = "deployment: {concurrency: 512, typical_output_tokens: null}"
    assert judged("HB502", open_ended, tmp_path) == []
    (found,) = judged("HB515", open_ended, tmp_path)
    assert "typical" not in found.message


@pytest.mark.parametrize("engine", ["vllm", "djl-lmi"])
def test_djl_is_judged_as_vllm(engine, tmp_path):
    many = f"deployment: {{engine: {engine}, quantization: fp8, concurrency: 128}}"
    assert judged("HB502", many, tmp_path) == []
    assert len(judged("HB515", many, tmp_path)) == 1
