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


@pytest.mark.parametrize(("tokens", "advised"), [(6000, "stream the answers"), (30000, "ends after 8 minutes")])
def test_what_helps_depends_on_the_stream(tokens, advised, tmp_path):
    (found,) = judged("HB530", LONG % tokens, tmp_path)
    assert advised in found.help
    assert "but InvokeEndpoint waits 60 s" in found.message
    assert found.confidence is Confidence.CERTAIN


def test_hardware_of_ones_own_has_no_such_limit(tmp_path):
    own = "deployment: {instance: {type: null, gpu: A10G, gpus: 4}, max_model_len: 32768, typical_output_tokens: 6000}"
    assert judged("HB530", own, tmp_path) == []
