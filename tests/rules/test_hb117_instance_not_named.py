"""HB117: no hardware, or two kinds of it."""

from __future__ import annotations

from judged import edge, judged


def test_edge_of_both(tmp_path):
    edge("HB117", "", "instance.gpu", None, "A100-40", tmp_path)


def test_edge_of_neither(tmp_path):
    described = "instance: {type: null, gpus: 8, price: 30 USD/h}\nbudget: null\ndeployment: null"
    edge("HB117", described, "instance.gpu", "A100-40", None, tmp_path)


def test_edge_of_an_endpoint(tmp_path):
    edge("HB117", "", "deployment.instance.gpu", None, "A10G", tmp_path)


def test_neither_type_nor_gpu(tmp_path):
    (found,) = judged("HB117", "instance: {type: null}", tmp_path)
    assert found.route == ("instance",)
    assert found.message == "neither type nor gpu is set"


def test_both_are_named(tmp_path):
    (found,) = judged("HB117", "instance: {gpu: A100-40}", tmp_path)
    assert found.route == ("instance", "gpu")
    assert found.message == "type (ml.p4d.24xlarge) and gpu (A100-40) are both set"
    assert found.help == "delete one: gpu to run on SageMaker, type to run on your own machine"
