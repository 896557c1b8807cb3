"""HB504: an endpoint's instance without a GPU."""

from __future__ import annotations

from judged import edge, judged


def test_the_edge_is_a_gpu(tmp_path):
    edge(
        "HB504",
        "deployment: {tensor_parallel: 8}",
        "deployment.instance.type",
        "ml.p4d.24xlarge",
        "ml.c5.4xlarge",
        tmp_path,
    )


def test_an_accelerator_of_another_kind_is_not_a_gpu(tmp_path):
    edge("HB504", "", "deployment.instance.alternatives", ["ml.g6.12xlarge"], ["ml.inf2.xlarge"], tmp_path)
    (found,) = judged("HB504", "deployment: {instance: {alternatives: [ml.inf2.xlarge]}}", tmp_path)
    assert (found.message, found.help) == (
        "ml.inf2.xlarge has no GPU",
        "use a GPU instance type, such as ml.g5.12xlarge",
    )
