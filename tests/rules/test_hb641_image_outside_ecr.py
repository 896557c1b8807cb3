"""HB641: registries that SageMaker pulls from."""

from __future__ import annotations

import pytest
from judged import edge, judged

ECR = "111122223333.dkr.ecr.us-east-1.amazonaws.com/mine:7-cu128"


def test_the_edge_is_the_registry(tmp_path):
    edge("HB641", "", "sagemaker.image", ECR, "public.ecr.aws/acme/mine:7-cu128", tmp_path)


@pytest.mark.parametrize(
    ("image", "found"),
    [
        (ECR, False),
        ("111122223333.dkr.ecr-fips.us-gov-west-1.amazonaws.com/a/b@sha256:0123", False),
        ("727897471807.dkr.ecr.cn-north-1.amazonaws.com.cn/mine:7", False),
        ("111122223333.dkr-ecr.us-east-1.on.aws/mine:7", False),
        ("pytorch/pytorch:2.8.0-cuda12.8-cudnn9-runtime", True),
        ("nvcr.io/nvidia/pytorch:25.08-py3", True),
        ("11112222333.dkr.ecr.us-east-1.amazonaws.com/mine:7", True),
        ("111122223333.dkr.ecr.us-east-1.amazonaws.com", True),
    ],
)
def test_registries(image, found, tmp_path):
    said = judged("HB641", f"sagemaker: {{image: '{image}'}}", tmp_path)
    assert [entry.severity for entry in said] == (["error"] if found else [])


def test_a_serving_image_may_be_meant_for_your_own_machine(tmp_path):
    image = "sagemaker: {serving_image: 'registry.example.com/vllm:0.27.1-cu130'}"
    (found,) = judged("HB641", image, tmp_path)
    assert found.severity == "warning"
    own = "deployment: {instance: {type: null, gpu: A10G, gpus: 4}}"
    assert judged("HB641", f"{image}\n{own}", tmp_path) == []
