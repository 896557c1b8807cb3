"""HB634: metrics of one name."""

from __future__ import annotations

from judged import edge, judged

TWO = 'monitoring: {metrics: [{name: a, regex: "epoch=([0-9.]+)"}, {name: b, regex: " loss=([0-9.]+)"}]}'


def test_the_edge_is_the_name(tmp_path):
    edge("HB634", TWO, "monitoring.metrics[1].name", "A", "a", tmp_path)


def test_the_second_is_named(tmp_path):
    (found,) = judged("HB634", TWO.replace("name: b", "name: a"), tmp_path)
    assert (found.route, found.severity) == (("monitoring", "metrics", 1, "name"), "error")
