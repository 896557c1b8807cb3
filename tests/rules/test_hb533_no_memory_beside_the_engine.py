"""HB533: the share of the GPU's memory that leaves none for the CUDA context."""

from __future__ import annotations

from judged import edge, judged

SHARE = "deployment.gpu_memory_utilization"
ONE = "model: {id: Qwen/Qwen2.5-7B}\nbudget: null\ndeployment: {quantization: none}"


def test_the_edge_is_the_smallest_context(tmp_path):
    edge("HB533", ONE, SHARE, 0.98, 0.99, tmp_path)  # 0.47 and 0.24 GB of 23.6


def test_all_of_the_memory_is_an_error_on_any_gpu(tmp_path):
    large = "deployment: {instance: {type: ml.p5.48xlarge}, tensor_parallel: 8, gpu_memory_utilization: %s}"
    (found,) = judged("HB533", large % 1, tmp_path)
    assert (found.severity, found.confidence) == ("error", "certain")
    assert judged("HB533", large % 0.99, tmp_path) == []  # 0.8 GB of 80


def test_usual_shares(tmp_path):
    for share in (0.9, 0.92, 0.95, 0.97):
        assert judged("HB533", f"deployment: {{gpu_memory_utilization: {share}}}", tmp_path) == []


def test_more_than_sglangs_own_share_is_a_warning(tmp_path):
    sglang = "deployment: {engine: sglang, quantization: none, instance: {type: ml.g6e.2xlarge}, %s: %s}"
    (found,) = judged("HB533", sglang % ("gpu_memory_utilization", 0.92), tmp_path)
    assert found.severity == "warning"
    assert "SGLang's own share leaves" in found.message
    assert judged("HB533", sglang % ("gpu_memory_utilization", 0.8), tmp_path) == []
