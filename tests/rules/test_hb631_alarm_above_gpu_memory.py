"""HB631: alarms at what a GPU has. `base.yaml` trains on A100 of 40 GB, 40 GiB by their data sheet."""

from __future__ import annotations

import pytest
from judged import edge, judged


def test_the_edge_is_the_memory_of_one_gpu(tmp_path):
    edge("HB631", "", "monitoring.gpu_memory.max", "39.9 GiB", "40 GiB", tmp_path)


@pytest.mark.parametrize(
    ("fragment", "limit", "found"),
    [
        ("instance: {type: ml.g5.12xlarge}", "23 GB", False),
        ("instance: {type: ml.g5.12xlarge}", "24 GB", True),
        ("instance: {type: ml.p5.48xlarge}", "80 GB", False),
        ("instance: {type: ml.p5.48xlarge}", "640 GB", True),
        ("instance: {type: ml.g6e.12xlarge}", "47 GB", False),
        ("instance: {type: null, gpu: RTX 3060, gpu_memory: 12 GB, gpus: 1, parallelism: single}", "13 GB", True),
        ("instance: {type: null, gpu: RTX 3060, gpu_memory: 12 GB, gpus: 1, parallelism: single}", "11 GB", False),
        ("instance: {type: ml.p4d.24xlage}", "900 GB", False),
    ],
)
def test_gpus(fragment, limit, found, tmp_path):
    said = judged("HB631", f"monitoring: {{gpu_memory: {{max: {limit}}}}}\n{fragment}", tmp_path)
    assert [entry.severity for entry in said] == (["warning"] if found else [])
