"""HB642: CUDA releases of images, and the GPUs that they have code for."""

from __future__ import annotations

import pytest
from judged import edge, judged

ECR = "111122223333.dkr.ecr.us-east-1.amazonaws.com"


def test_the_edge_is_the_first_release_for_ampere(tmp_path):
    edge("HB642", "", "sagemaker.image", f"{ECR}/mine:7-cu110", f"{ECR}/mine:7-cu102", tmp_path)


@pytest.mark.parametrize(
    ("instance", "tag", "found"),
    [
        ("ml.g4dn.xlarge", "cu102", False),
        ("ml.g5.12xlarge", "cu111", False),
        ("ml.g6.12xlarge", "cu111", False),  # code for 8.6 runs on 8.9
        ("ml.p5.48xlarge", "cu117", True),
        ("ml.p5.48xlarge", "cu118", False),
        ("ml.p6-b200.48xlarge", "cu126", True),
        ("ml.p6-b200.48xlarge", "cu128", False),
        ("ml.p5.48xlarge", "7", False),
        ("ml.p5.48xlarge", "cuda11.3", True),
    ],
)
def test_gpus(instance, tag, found, tmp_path):
    said = judged("HB642", f"instance: {{type: {instance}}}\nsagemaker: {{image: '{ECR}/mine:x-{tag}'}}", tmp_path)
    assert [(entry.severity, entry.confidence) for entry in said] == ([("error", "likely")] if found else [])


def test_of_an_endpoint(tmp_path):
    image = f"sagemaker: {{serving_image: '{ECR}/vllm:0.27.1-mine-cu116'}}"
    assert judged("HB642", image, tmp_path) == []
    hopper = "deployment: {instance: {type: ml.p5.48xlarge}, tensor_parallel: 8}"
    (found,) = judged("HB642", f"{image}\n{hopper}", tmp_path)
    assert found.route == ("sagemaker", "serving_image")
