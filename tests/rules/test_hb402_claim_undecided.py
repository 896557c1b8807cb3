"""HB402: claims that the prediction neither confirms nor contradicts."""

from __future__ import annotations

import re

import pytest
from judged import codes, edge, estimated, judged

DURATION = "expect: {training.duration: 1s..3h}"


def test_the_edge_is_the_high_end_of_the_prediction(tmp_path):
    high = estimated("", tmp_path).time.total_seconds.high
    within, beyond = (f"1s..{high + more:.3f}s" for more in (0.01, -0.01))
    edge("HB402", DURATION, "expect.training.duration", within, beyond, tmp_path)


def test_the_edge_is_the_low_end_of_the_prediction(tmp_path):
    low = estimated("", tmp_path).time.total_seconds.low
    within, beyond = (f"{low + more:.3f}s..3h" for more in (-0.01, 0.01))
    edge("HB402", DURATION, "expect.training.duration", within, beyond, tmp_path)


def test_claims_of_one_estimate_are_one_finding(tmp_path):
    (found,) = judged("HB402", "expect: {training.duration: 1s..25m, training.step_time: 1ms..3s}", tmp_path)
    assert found.route == ("expect", "training.duration")
    assert found.message == (
        "training.duration is claimed as 1s..25m, but predicted as 17.7m..61.9m; "
        "training.step_time is claimed as 1ms..3s, but predicted as 2.60s..4.84s"
    )
    assert found.help.startswith("set training.duration to 17.7m..61.9m and training.step_time to 2.60s..4.84s, or ")


@pytest.mark.parametrize(
    ("key", "claim", "pattern"),
    [
        ("training.duration", "1s..0.5h", r"0\.\d+h\.\.1\.\d+h"),
        ("training.cost", "..20 USD", r"[\d.]+ USD\.\.[\d.]+ USD"),
        ("training.memory_per_gpu", "~22 GiB", r"[\d.]+ GiB\.\.[\d.]+ GiB"),
    ],
)
def test_the_range_that_is_offered_is_confirmed(key, claim, pattern, tmp_path):
    (found,) = judged("HB402", f"expect: {{{key}: {claim}}}", tmp_path)
    offered = re.search(rf"set {key} to ({pattern}), or", found.help)[1]
    assert codes(f"expect: {{{key}: {offered}}}", tmp_path).isdisjoint({"HB401", "HB402", "HB403"})
