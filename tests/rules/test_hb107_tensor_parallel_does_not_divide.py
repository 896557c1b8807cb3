"""HB107: tensor parallelism against heads and GPUs."""

from __future__ import annotations

import pytest
from judged import edge, judged

SMALL = "model: {id: Qwen/Qwen2.5-7B}\n"  # 28 heads, 4 key-value heads


@pytest.mark.parametrize("beyond", [3, 5])  # 40 heads leave a remainder of 1; the instance has 4 GPUs
def test_edge(beyond, tmp_path):
    edge("HB107", "", "deployment.tensor_parallel", 4, beyond, tmp_path)


def test_edge_of_28_heads_on_eight_gpus(tmp_path):
    endpoint = SMALL + "deployment: {instance: {type: ml.g5.48xlarge}}"
    own = "111122223333.dkr.ecr.us-east-1.amazonaws.com/vllm:0.27.1-cu130"  # four GPUs are not idle there (HB521)
    endpoint += f"\nsagemaker: {{serving_image: '{own}'}}"
    edge("HB107", endpoint, "deployment.tensor_parallel", 4, 8, tmp_path)
    (found,) = judged("HB107", SMALL + "deployment: {instance: {type: ml.g5.48xlarge}, tensor_parallel: 8}", tmp_path)
    assert found.route == ("deployment", "tensor_parallel")
    assert found.message == "tensor_parallel 8 does not divide 28 attention heads"
    assert found.help == "set tensor_parallel to one of 1, 2, 4"


@pytest.mark.parametrize("size", [1, 2, 4])
def test_sizes_that_divide(size, tmp_path):
    assert judged("HB107", f"instance: {{tensor_parallel: {size}}}", tmp_path) == []


def test_an_engine_may_repeat_key_value_heads_and_a_trainer_may_not(tmp_path):
    model = "model: {id: Qwen/Qwen2.5-3B}\n"  # 16 heads, 2 key-value heads
    assert judged("HB107", model + "deployment: {tensor_parallel: 4}", tmp_path) == []
    own = "script: {entry_point: base.yaml}\n"  # the shipped script splits no layers, whatever the size
    (found,) = judged("HB107", own + model + "instance: {tensor_parallel: 4}", tmp_path)
    assert found.message == "tensor_parallel 4 does not divide 2 key-value heads"
    assert found.help == "set tensor_parallel to one of 1, 2"


def test_more_gpus_than_the_endpoint_has(tmp_path):
    (found,) = judged("HB107", "deployment: {tensor_parallel: 8}", tmp_path)
    assert found.message == "tensor_parallel 8 exceeds the GPU count of ml.g5.12xlarge, 4"
