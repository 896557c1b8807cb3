"""HB520: what the name of an own serving image says."""

from __future__ import annotations

import pytest
from judged import edge, judged

ECR = "111122223333.dkr.ecr.us-east-1.amazonaws.com"
IMAGE = f"sagemaker: {{serving_image: '{ECR}/%s'}}\ndeployment: {{quantization: none, engine: %s}}"


def test_the_edge_is_a_tag_with_cuda(tmp_path):
    named, bare = f"{ECR}/vllm:0.30.0-cu130", f"{ECR}/vllm:0.30.0"
    edge("HB520", "deployment: {quantization: none}", "sagemaker.serving_image", named, bare, tmp_path)


@pytest.mark.parametrize(
    ("name", "engine", "routes"),
    [
        ("vllm:0.30.0-cu130", "null", []),
        ("djl-inference:0.38.0-lmi29.0.0-cu130", "djl-lmi", []),
        ("djl-inference:0.38.0-lmi29.0.0-cu130", "vllm", ["deployment.engine"]),
        ("assistant:7-cu130", "null", ["sagemaker.serving_image"]),
        ("assistant:7-cu130", "vllm", []),
        ("assistant:7", "null", ["sagemaker.serving_image"] * 2),
    ],
)
def test_engine_and_cuda_are_said(name, engine, routes, tmp_path):
    found = judged("HB520", IMAGE % (name, engine), tmp_path)
    assert [".".join(map(str, one.route)) for one in found] == routes
    assert [one.severity for one in found if one.route[0] == "deployment"] == ["error"] * routes.count(
        "deployment.engine"
    )


@pytest.mark.parametrize(("release", "told"), [("0.27.1", 0), ("0.28.0", 1)])
def test_bitsandbytes_is_a_plugin_since_0_28(release, told, tmp_path):
    image = f"sagemaker: {{serving_image: '{ECR}/vllm:{release}-cu130'}}"
    assert len(judged("HB520", image, tmp_path)) == told
