"""HB640: what the names of images say about their use. `base.yaml` trains and serves on GPUs."""

from __future__ import annotations

import pytest
from judged import edge, judged

ECR = "111122223333.dkr.ecr.us-east-1.amazonaws.com"


def test_the_edge_is_the_hardware_in_the_tag(tmp_path):
    gpu, cpu = (f"{ECR}/pytorch-training:2.8.0-{built}-py312-ubuntu22.04-sagemaker" for built in ("gpu", "cpu"))
    edge("HB640", "", "sagemaker.image", gpu, cpu, tmp_path)


@pytest.mark.parametrize(
    ("image", "severity"),
    [
        ("huggingface-pytorch-training:2.9.0-transformers5.3.0-gpu-py312-cu130-ubuntu22.04", None),
        ("mine:7", None),
        ("cpu-and-gpu:7-cu128", None),
        ("accpu:7", None),
        ("mine:7-CPU", "error"),
        ("trainer-cpu:7", "error"),
        ("tensorflow-training:2.18.0-gpu-py310-cu125-ubuntu22.04-sagemaker", "error"),
        ("huggingface-tensorflow-training:2.6.3-transformers4.17.0-gpu-py38-cu112-ubuntu20.04", "error"),
        ("sagemaker-xgboost:1.7-1", "error"),
        ("jaxtrainer:7", None),
        ("pytorch-training-neuronx:2.8.0-neuronx-py311-sdk2.26.0-ubuntu22.04", "error"),
        ("pytorch-inference:2.6.0-cpu-py312-ubuntu22.04-sagemaker", "error"),
        ("huggingface-pytorch-tgi-inference:2.7.0-tgi3.3.6-gpu-py311-cu124-ubuntu22.04", "warning"),
        ("djl-inference:0.38.0-lmi29.0.0-cu130", "warning"),
        ("vllm:0.30.0-gpu-py312-cu130-ubuntu24.04-sagemaker", "warning"),
    ],
)
def test_of_training(image, severity, tmp_path):
    found = judged("HB640", f"sagemaker: {{image: '{ECR}/{image}'}}", tmp_path)
    assert [(entry.severity, entry.route[-1]) for entry in found] == ([(severity, "image")] if severity else [])


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ("vllm:0.27.1-mine-cu130", False),
        ("djl-inference:0.38.0-lmi29.0.0-cu130", False),
        ("assistant:7", False),
        ("pytorch-training:2.8.0-gpu-py312-cu129", True),
        ("vllm:0.27.1-cpu", True),
        ("djl-inference:0.29.0-neuronx-sdk2.19.1", True),
    ],
)
def test_of_an_endpoint(image, found, tmp_path):
    said = judged("HB640", f"sagemaker: {{serving_image: '{ECR}/{image}'}}", tmp_path)
    assert [(entry.severity, entry.route[-1]) for entry in said] == ([("error", "serving_image")] if found else [])


def test_an_instance_without_a_gpu_may_have_an_image_for_cpus(tmp_path):
    fragment = f"sagemaker: {{image: '{ECR}/mine:7-cpu'}}\ninstance: {{type: ml.c5.4xlarge, parallelism: single}}"
    assert judged("HB640", fragment, tmp_path) == []
