"""HB530: the typical answer against the seconds that InvokeEndpoint waits."""

from __future__ import annotations

from bisect import bisect_left

import pytest
from judged import edge, judged

from hbspec.diagnostics import Confidence

LONG = "deployment: {max_model_len: 32768, concurrency: 1, typical_output_tokens: %s}"


def test_the_edge_is_the_predicted_latency(tmp_path):
    lengths = range(400, 6001)
    fewest = lengths[bisect_left(lengths, True, key=lambda tokens: bool(judged("HB530", LONG % tokens, tmp_path)))]
    edge("HB530", LONG % 400, "deployment.typical_output_tokens", fewest - 1, fewest, tmp_path)


QUEUE = "async_inference: {output: 's3://bucket/answers/'}, "
TEST = "ab_test: {baseline: today, served_model_name: assistant, candidate_weight: 0.1}, "


def asked(tokens, more, tmp_path):
    return judged("HB530", (LONG % tokens).replace("{max_model_len: 32768", f"{{{more}max_model_len: 262144"), tmp_path)


@pytest.mark.parametrize(
    ("tokens", "more", "advised"),
    [
        (8000, "", "stream the answers (InvokeEndpointWithResponseStream), or add deployment.async_inference"),
        (8000, TEST, "stream the answers (InvokeEndpointWithResponseStream), or lower typical_output_tokens"),
        (30000, "", "add deployment.async_inference, whose answers may take an hour: even a stream ends after 8 min"),
        (30000, TEST, "lower typical_output_tokens: even a stream ends after 8 minutes"),
        (200000, "", "lower typical_output_tokens: even an asynchronous answer ends after 60 minutes"),
    ],
)
def test_what_helps_waits_for_so_long(tokens, more, advised, tmp_path):
    (found,) = asked(tokens, more, tmp_path)
    assert advised in found.help
    assert "but InvokeEndpoint waits 60 s" in found.message
    assert found.confidence is Confidence.CERTAIN


def test_an_asynchronous_endpoint_has_an_hour(tmp_path):
    assert asked(30000, QUEUE, tmp_path) == []
    (found,) = asked(200000, QUEUE, tmp_path)
    assert "but InvokeEndpointAsync waits 60 minutes" in found.message
    assert found.help == "lower typical_output_tokens: even an asynchronous answer ends after 60 minutes"


def test_hardware_of_ones_own_has_no_such_limit(tmp_path):
    own = "deployment: {instance: {type: null, gpu: A10G, gpus: 4}, max_model_len: 32768, typical_output_tokens: 6000}"
    assert judged("HB530", own, tmp_path) == []


def test_an_alternative_of_less_bandwidth(tmp_path):
    fragment = "deployment: {typical_output_tokens: 2000, max_model_len: 4096}"
    (found,) = judged("HB530", fragment.replace("{typ", "{instance: {alternatives: [ml.g6.12xlarge]}, typ"), tmp_path)
    assert found.route == ("deployment", "instance", "alternatives", 0)
    assert "on ml.g6.12xlarge, but InvokeEndpoint waits 60 s" in found.message
    assert judged("HB530", fragment, tmp_path) == []
