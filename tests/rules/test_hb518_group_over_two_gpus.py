"""HB518: groups of quantised weights, and the GPUs that share a matrix."""

from __future__ import annotations

import pytest
from judged import edge, judged

QWEN = """model: {id: Qwen/%s}
hyperparameters: {method: lora, bnb_quant_type: null, bnb_double_quant: null}
instance: {type: ml.p5.48xlarge, parallelism: fsdp}
deployment: {model: "%s", quantization: %s, instance: {type: ml.p5.48xlarge}, tensor_parallel: %s}"""
S3 = "s3://bucket/copy/"


@pytest.mark.parametrize(
    ("model", "quantization", "gpus", "wrong"),
    [
        ("Qwen2.5-72B-Instruct", "awq", 1, False),
        ("Qwen2.5-72B-Instruct", "awq", 2, True),
        ("Qwen2.5-72B-Instruct", "gptq", 8, True),
        ("Qwen2.5-32B-Instruct", "awq", 8, False),  # 27,648 is 216 groups
        ("Qwen2.5-7B-Instruct", "awq", 4, False),  # 18,944 is 148 groups
        ("Qwen2.5-72B-Instruct", "fp8", 8, False),
    ],
)
def test_a_gpu_has_whole_groups(model, quantization, gpus, wrong, tmp_path):
    found = judged("HB518", QWEN % (model, S3, quantization, gpus), tmp_path)
    assert [one.severity for one in found] == ["error"] * wrong


def test_the_edge_is_a_part_of_a_group(tmp_path):
    edge("HB518", QWEN % ("Qwen2.5-72B-Instruct", S3, "awq", 8), "deployment.quantization", "fp8", "awq", tmp_path)


def test_the_widths_are_named(tmp_path):
    (found,) = judged("HB518", QWEN % ("Qwen2.5-72B-Instruct", S3, "awq", 8), tmp_path)
    assert found.message == (
        "tensor_parallel 8 splits the 29,568 columns of down_proj into 3696 each, which are not whole groups of 128 "
        "awq weights"
    )
    assert found.help == "set tensor_parallel to 1, or pad them to 29696 and quantise again"


def test_a_published_copy_may_be_padded(tmp_path):
    (found,) = judged("HB518", QWEN % ("Qwen2.5-72B-Instruct", "Qwen/Qwen2.5-72B-Instruct-AWQ", "awq", 8), tmp_path)
    assert found.severity == "warning"
