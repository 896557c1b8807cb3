"""HB312: `monitoring.step_time` against the predicted step."""

from __future__ import annotations

import re

from judged import edge, estimated, judged


def window(least: str, most: str) -> str:
    return f"monitoring: {{step_time: {{min: {least}, max: {most}}}}}"


def test_the_edge_below_is_the_high_end_of_the_prediction(tmp_path):
    high = estimated("", tmp_path).time.step_seconds.high
    edge("HB312", window("1ms", "2h"), "monitoring.step_time.min", f"{high - 1e-6}s", f"{high + 1e-6}s", tmp_path)


def test_the_edge_above_is_the_low_end_of_the_prediction(tmp_path):
    low = estimated("", tmp_path).time.step_seconds.low
    edge("HB312", window("1ms", "2h"), "monitoring.step_time.max", f"{low + 1e-6}s", f"{low - 1e-6}s", tmp_path)


def test_the_window_that_is_offered_is_accepted(tmp_path):
    for least, most in (("1ms", "2ms"), ("1h", "2h")):
        (found,) = judged("HB312", window(least, most), tmp_path)
        offered = re.fullmatch("set monitoring.step_time to (.+)", found.help)[1]
        assert judged("HB312", f"monitoring: {{step_time: {offered}}}", tmp_path) == []


def test_the_end_that_is_missed_is_named(tmp_path):
    (found,) = judged("HB312", window("1ms", "2ms"), tmp_path)
    assert "above monitoring.step_time.max (2.00 ms)" in found.message
    (found,) = judged("HB312", window("1h", "2h"), tmp_path)
    assert "below monitoring.step_time.min (1.00 h)" in found.message


def test_a_window_that_is_reversed_or_has_no_width_is_certain(tmp_path):
    for low, high in (("60s", "2s"), ("10s", "10s")):
        (found,) = judged("HB312", f"monitoring: {{step_time: {{min: {low}, max: {high}}}}}", tmp_path)
        assert "is not below its max" in found.message
        assert (found.route, found.confidence) == (("monitoring", "step_time"), "certain")
