"""HB317: `keep_alive` of a spot job."""

from __future__ import annotations

from judged import edge, judged


def test_the_edge_is_one_second_of_keeping_alive(tmp_path):
    spot = "instance: {spot: true, max_wait: 8h}\nhyperparameters: {save_steps: 20}"
    edge("HB317", spot, "instance.keep_alive", None, "1s", tmp_path)


def test_on_demand_instances_are_kept(tmp_path):
    assert judged("HB317", "instance: {keep_alive: 30m}", tmp_path) == []
    (found,) = judged("HB317", "instance: {spot: true, keep_alive: 30m}", tmp_path)
    assert "keep_alive is 30.0 min" in found.message
