"""HB110: predicted memory against the author's alarm."""

from __future__ import annotations

from math import ceil

from judged import edge, estimated, judged

ALARM = "monitoring: {gpu_memory: {max: %d B}}"


def test_edge(tmp_path):
    high = ceil(estimated("", tmp_path).memory.fullest.process.high)
    edge("HB110", "", "monitoring.gpu_memory.max", f"{high} B", f"{high - 1} B", tmp_path)


def test_the_alarm_is_judged_by_the_ends_of_the_estimate(tmp_path):
    process = estimated("", tmp_path).memory.fullest.process
    for limit, severity in ((process.low - 1, "error"), (process.high - 1, "warning"), (process.high, None)):
        found = judged("HB110", ALARM % limit, tmp_path)
        assert [diagnostic.severity for diagnostic in found] == ([severity] if severity else [])


def test_the_prediction_and_the_limit_are_named(tmp_path):
    (found,) = judged("HB110", ALARM % 20e9, tmp_path)
    assert found.message.startswith("the fullest GPU is predicted to use 22.4 GB to 24.6 GB (expected 23.2 GB), above")
    assert found.message.endswith("above monitoring.gpu_memory.max (20.0 GB)")
    assert found.help == "set monitoring.gpu_memory.max above 24.6 GB"
