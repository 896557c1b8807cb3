"""HB316: `max_wait` of an on-demand job."""

from __future__ import annotations

from judged import edge, judged


def test_the_edge_is_a_wait_on_demand(tmp_path):
    edge("HB316", "", "instance.max_wait", None, "8h", tmp_path)


def test_the_edge_is_spot(tmp_path):
    waits = "instance: {max_wait: 8h}\nhyperparameters: {save_steps: 20}"
    edge("HB316", waits, "instance.spot", True, False, tmp_path)


def test_the_fix_deletes_it(tmp_path):
    (found,) = judged("HB316", "instance: {max_wait: 8h}", tmp_path)
    assert [(fix.title, fix.value) for fix in found.fixes] == [("delete max_wait", None)]
