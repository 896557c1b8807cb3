"""HB531: no instance of an endpoint whose requests cannot wait."""

from __future__ import annotations

from judged import edge, judged

SCALED = "deployment: {autoscaling: {min: 0, max: 2}}"
QUEUED = "deployment: {autoscaling: {min: 0, max: 2}, async_inference: {output: 's3://bucket/answers/'}}"


def test_the_edge_is_one_instance(tmp_path):
    edge("HB531", SCALED, "deployment.autoscaling.min", 1, 0, tmp_path)


def test_the_least_that_works_is_offered(tmp_path):
    (found,) = judged("HB531", SCALED, tmp_path)
    assert found.route == ("deployment", "autoscaling", "min")
    assert [fix.value for fix in found.fixes] == [1]
    assert "deployment.async_inference" in found.help


def test_a_queue_waits_for_an_instance(tmp_path):
    assert judged("HB531", QUEUED, tmp_path) == []
    assert judged("HB510", QUEUED, tmp_path) == []
