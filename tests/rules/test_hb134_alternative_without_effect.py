"""HB134: an alternative that is no other type, or stands beside the author's own machine."""

from __future__ import annotations

from judged import edge, judged


def test_the_edge_is_another_type(tmp_path):
    edge("HB134", "", "instance.alternatives", ["ml.p4de.24xlarge"], ["ml.p4d.24xlarge"], tmp_path)


def test_the_second_of_two_is_named(tmp_path):
    (found,) = judged("HB134", "instance: {alternatives: [ml.p4de.24xlarge, ml.p4de.24xlarge]}", tmp_path)
    assert (found.route, found.message) == (
        ("instance", "alternatives", 1),
        "ml.p4de.24xlarge is an alternative already",
    )


def test_the_endpoint_s_alternatives(tmp_path):
    fragment = "deployment: {instance: {type: ml.g5.12xlarge, alternatives: [ml.g6.12xlarge, ml.g5.12xlarge]}}"
    (found,) = judged("HB134", fragment, tmp_path)
    assert found.route == ("deployment", "instance", "alternatives", 1)
    assert found.message == "ml.g5.12xlarge is the instance type itself"


def test_the_job_and_its_endpoint_may_name_the_same_type(tmp_path):
    fragment = "deployment: {instance: {type: ml.p4d.24xlarge}, tensor_parallel: 8}"
    assert judged("HB134", fragment, tmp_path) == []


def test_the_author_s_own_machine_has_no_alternatives(tmp_path):
    own = "instance: {type: null, gpu: A100-40, gpus: 8, price: 12 USD/h, max_runtime: null"
    (found,) = judged("HB134", f"{own}, alternatives: [ml.p4d.24xlarge]}}", tmp_path)
    assert found.route == ("instance", "alternatives")
    assert judged("HB134", f"{own}}}", tmp_path) == []
