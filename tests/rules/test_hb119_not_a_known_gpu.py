"""HB119: GPUs outside the catalog."""

from __future__ import annotations

from judged import edge, judged


def test_edge(tmp_path):
    machine = "instance: {type: null, gpus: 8, price: 30 USD/h}"
    edge("HB119", machine, "instance.gpu", "A100-40", "A100", tmp_path)


def test_edge_of_an_endpoint(tmp_path):
    endpoint = "deployment: {instance: {type: null, gpus: 4, price: 5 USD/h}}"
    edge("HB119", endpoint, "deployment.instance.gpu", "A10G", "A10C", tmp_path)


def test_a_gpu_with_two_sizes(tmp_path):
    (found,) = judged("HB119", "instance: {type: null, gpu: A100, gpus: 8}", tmp_path)
    assert found.message == "gpu A100 is not in the catalog"
    assert found.help == "did you mean A100-40 or A100-80 or A100-PCIe-80?"


def test_an_endpoints_gpu(tmp_path):
    (found,) = judged("HB119", "deployment: {instance: {type: null, gpu: RTX4095}}", tmp_path)
    assert found.route == ("deployment", "instance", "gpu")
    assert found.fixes == ()  # RTX 4090 or RTX 4080


def test_a_spelling_of_one_gpu_has_it_as_the_fix(tmp_path):
    (found,) = judged("HB119", "instance: {type: null, gpu: H100-SXM, gpus: 8}", tmp_path)
    assert [(fix.route, fix.value, fix.safe) for fix in found.fixes] == [(("instance", "gpu"), "H100-80", False)]


def test_a_job_s_gpu_may_have_its_memory_given(tmp_path):
    machine = "instance: {type: null, gpu: XYZ 9000, gpus: 8, price: 30 USD/h%s}"
    assert judged("HB119", machine % ", gpu_memory: 40 GiB", tmp_path) == []
    (found,) = judged("HB119", machine % "", tmp_path)
    assert found.help.startswith("set gpu_memory, or use one of ")
