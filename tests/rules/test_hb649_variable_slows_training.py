"""HB649: variables for debugging."""

from __future__ import annotations

import pytest
from judged import edge, judged

SET = "sagemaker: {environment: {%s: '%s'}}\n%s"


def test_the_edge_is_the_value(tmp_path):
    edge("HB649", "", "sagemaker.environment", *({"CUDA_LAUNCH_BLOCKING": value} for value in ("0", "1")), tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "rest", "found"),
    [
        ("NCCL_P2P_DISABLE", "1", "", True),
        ("NCCL_P2P_DISABLE", "0", "", False),
        ("NCCL_P2P_DISABLE", "1", "instance: {type: ml.g5.12xlarge}", False),
        ("NCCL_P2P_DISABLE", "1", "instance: {parallelism: single}", False),
        ("TORCH_DISTRIBUTED_DEBUG", "DETAIL", "", True),
        ("TORCH_DISTRIBUTED_DEBUG", "INFO", "", False),
        ("PYTORCH_NO_CUDA_MEMORY_CACHING", "1", "", True),
        ("NCCL_DEBUG", "INFO", "", False),
        ("FI_PROVIDER", "tcp", "", False),
        ("FI_PROVIDER", "tcp", "instance: {count: 2}", True),
        ("FI_PROVIDER", "efa", "instance: {count: 2}", False),
    ],
)
def test_values(name, value, rest, found, tmp_path):
    said = judged("HB649", SET % (name, value, rest), tmp_path)
    assert [entry.severity for entry in said] == (["warning"] if found else [])
