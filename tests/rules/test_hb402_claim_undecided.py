"""HB402: claims that the prediction neither confirms nor contradicts."""

from __future__ import annotations

from judged import edge, estimated, judged

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
    assert "; training.step_time is claimed as 1ms..3s, but may be" in found.message
    assert found.help.startswith("widen the claim, or narrow the estimate with the true token lengths")
