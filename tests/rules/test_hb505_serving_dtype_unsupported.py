"""HB505: the endpoint's number formats and its GPU."""

from __future__ import annotations

from judged import edge, judged

FP8 = "deployment: {kv_cache_dtype: fp8}"


def test_the_edge_of_fp8_is_ada(tmp_path):
    """L4 has compute capability 8.9, A10G 8.6."""
    edge("HB505", FP8, "deployment.instance.type", "ml.g6.12xlarge", "ml.g5.12xlarge", tmp_path)


def test_the_edge_of_bfloat16_is_ampere(tmp_path):
    """The T4 has compute capability 7.5; to train in what it computes is another rule's matter."""
    turing = "deployment: {instance: {type: ml.g4dn.12xlarge}}"
    edge("HB505", turing, "deployment.dtype", "float16", "bfloat16", tmp_path)


def test_fp8_before_ada_warns_of_weights_and_cache(tmp_path):
    found = judged("HB505", "deployment: {quantization: fp8, kv_cache_dtype: fp8}", tmp_path)
    assert [diagnostic.route[-1] for diagnostic in found] == ["quantization", "kv_cache_dtype"]
    assert {diagnostic.severity for diagnostic in found} == {"warning"}


def test_fp8_on_ada(tmp_path):
    ada = "deployment: {instance: {type: ml.g6e.12xlarge}, quantization: fp8, kv_cache_dtype: fp8}"
    assert judged("HB505", ada, tmp_path) == []


def test_an_assumed_dtype_follows_the_gpu(tmp_path):
    assert judged("HB505", "deployment: {instance: {type: ml.g4dn.12xlarge}}", tmp_path) == []


def test_an_alternative_that_lacks_it(tmp_path):
    other = "deployment: {dtype: bfloat16, instance: {alternatives: [ml.g4dn.12xlarge]}}"
    (found,) = judged("HB505", other, tmp_path)
    assert (found.route, found.severity) == (("deployment", "instance", "alternatives", 0), "warning")
