"""HB644: variables that hide GPUs. `base.yaml` runs eight processes on eight GPUs."""

from __future__ import annotations

import pytest
from judged import edge, judged

ALL = "0,1,2,3,4,5,6,7"
HIDES = "sagemaker: {environment: {%s: '%s'}}\ninstance: {parallelism: %s}"


def test_the_edge_is_the_last_gpu(tmp_path):
    edge(
        "HB644", "", "sagemaker.environment", *({"CUDA_VISIBLE_DEVICES": value} for value in (ALL, ALL[:-2])), tmp_path
    )


@pytest.mark.parametrize(
    ("name", "value", "parallelism", "severity"),
    [
        ("CUDA_VISIBLE_DEVICES", "7, 6, 5, 4, 3, 2, 1, 0", "ddp", None),
        ("CUDA_VISIBLE_DEVICES", ",".join(f"GPU-{index}" for index in range(8)), "fsdp", None),
        ("CUDA_VISIBLE_DEVICES", "1,2,3,4,5,6,7,8", "ddp", "error"),
        ("CUDA_VISIBLE_DEVICES", "", "ddp", "error"),
        ("CUDA_VISIBLE_DEVICES", "9" * 5000, "ddp", "error"),
        ("CUDA_VISIBLE_DEVICES", "-1", "single", "error"),
        ("CUDA_VISIBLE_DEVICES", "0", "single", None),
        ("CUDA_VISIBLE_DEVICES", "0,1", "pipeline", "warning"),
        ("NVIDIA_VISIBLE_DEVICES", "all", "ddp", None),
        ("NVIDIA_VISIBLE_DEVICES", "", "ddp", None),
        ("NVIDIA_VISIBLE_DEVICES", "none", "ddp", "error"),
        ("NVIDIA_VISIBLE_DEVICES", "0", "ddp", "error"),
    ],
)
def test_values(name, value, parallelism, severity, tmp_path):
    found = judged("HB644", HIDES % (name, value, parallelism), tmp_path)
    assert [entry.severity for entry in found] == ([severity] if severity else [])


@pytest.mark.parametrize(("value", "count"), [("true", 1), ("1", 1), ("false", 0)])
def test_accelerate_may_be_told_to_leave_the_gpus(value, count, tmp_path):
    assert len(judged("HB644", HIDES % ("ACCELERATE_USE_CPU", value, "ddp"), tmp_path)) == count


def test_hardware_that_is_not_known_is_not_judged(tmp_path):
    fragment = HIDES % ("CUDA_VISIBLE_DEVICES", "0", "ddp, type: ml.p4d.24xlage")
    assert judged("HB644", fragment, tmp_path) == []
