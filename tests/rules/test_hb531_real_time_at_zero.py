"""HB531: no instance of an endpoint whose requests do not wait."""

from __future__ import annotations

from judged import edge, judged

SCALED = "deployment: {autoscaling: {min: 0, max: 2}}"
QUEUED = "deployment: {autoscaling: {min: 0, max: 2}, async_inference: {output: 's3://bucket/answers/'}}"
TEST = "ab_test: {baseline: today, served_model_name: assistant, candidate_weight: 0.1}"


def test_the_edge_is_one_instance(tmp_path):
    edge("HB531", SCALED, "deployment.autoscaling.min", 1, 0, tmp_path)


def test_it_is_noted_what_clients_have_to_do(tmp_path):
    (found,) = judged("HB531", SCALED, tmp_path)
    assert (found.severity, found.route) == ("note", ("deployment", "autoscaling", "min"))
    assert "deployment.async_inference" in found.help


def test_the_variant_of_a_test_keeps_an_instance(tmp_path):
    (found,) = judged("HB531", f"deployment: {{autoscaling: {{min: 0, max: 2}}, {TEST}}}", tmp_path)
    assert (found.severity, [fix.value for fix in found.fixes]) == ("error", [1])


def test_a_queue_waits_for_an_instance(tmp_path):
    assert judged("HB531", QUEUED, tmp_path) == []
    assert judged("HB510", QUEUED, tmp_path) == []
