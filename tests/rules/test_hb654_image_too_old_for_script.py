"""HB654: Python and PyTorch of an image."""

from __future__ import annotations

import pytest
from judged import edge, judged

ECR = "763104351884.dkr.ecr.us-east-1.amazonaws.com"


def test_the_edge_is_the_release_of_pytorch(tmp_path):
    new, old = (f"{ECR}/pytorch-training:{release}-gpu-py311-cu124" for release in ("2.6.0", "2.5.1"))
    edge("HB654", "", "sagemaker.image", new, old, tmp_path)


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("huggingface-pytorch-training:2.9.0-transformers5.3.0-gpu-py312-cu130-ubuntu22.04", None),
        ("huggingface-pytorch-training:2.1.0-transformers4.36.0-gpu-py310-cu121-ubuntu20.04", "Python 3.10"),
        ("pytorch-training:2.10.0-gpu-py313", None),
        ("pytorch-training:1.9.1-gpu-py38-cu111-ubuntu20.04", "Python 3.8"),
        ("mine:1.0", None),
        ("mine:1.0-py39-cu128", "Python 3.9"),
        ("pytorch:2.14-cu133-amzn2023-sagemaker", None),
    ],
)
def test_images(image, said, tmp_path):
    instance = "instance: {type: ml.g5.48xlarge}\nbudget: {max_cost: 900 USD}"
    found = judged("HB654", f"sagemaker: {{image: '{ECR}/{image}'}}\n{instance}", tmp_path)
    assert [said in entry.message and entry.severity == "error" for entry in found] == ([True] if said else [])


@pytest.mark.parametrize("own", ["script: {entry_point: base.yaml}", "software: {transformers: 4.57.0}"])
def test_your_own_versions_may_need_less(own, tmp_path):
    assert judged("HB654", f"sagemaker: {{image: '{ECR}/mine:1-py39'}}\n{own}", tmp_path) == []
