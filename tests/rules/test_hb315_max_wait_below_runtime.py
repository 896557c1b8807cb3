"""HB315: `max_wait` against `max_runtime`."""

from __future__ import annotations

from judged import edge, judged

SPOT = "instance: {spot: true, max_wait: 8h}\nhyperparameters: {save_steps: 20}"


def test_the_edge_is_the_runtime_limit(tmp_path):
    edge("HB315", SPOT, "instance.max_wait", "4h", "3h59m59s", tmp_path)


def test_without_a_limit_the_wait_covers_the_default_day(tmp_path):
    wait = "instance: {spot: true, max_runtime: null, max_wait: %s}"
    assert judged("HB315", wait % "24h", tmp_path) == []
    (found,) = judged("HB315", wait % "23h", tmp_path)
    assert found.message == "max_wait is 23.0 h, shorter than SageMaker's default max_runtime (24.0 h)"
