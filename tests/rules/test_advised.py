"""What rules advise has to help, and what the estimates count has to have an effect."""

from __future__ import annotations

import pytest
from judged import found_by

from hbspec.api import estimate


@pytest.mark.parametrize(
    ("parallelism", "offload", "really"),
    [
        ("ddp", "all", "none"),
        ("single", "optimizer", "none"),
        ("zero2", "all", "optimizer"),
        ("zero3", "all", "all"),
        ("fsdp", "all", "all"),
    ],
)
def test_offload_counts_where_it_has_an_effect(parallelism, offload, really, tmp_path):
    fragment = f"instance: {{parallelism: {parallelism}, offload: {offload}}}"
    silent = [found for found in found_by("HB213", fragment, tmp_path) if found.route[-1] == "offload"]
    assert bool(silent) == (offload != really)
    plan = estimate(tmp_path / "spec.yaml", overrides=[f"instance.offload={really}"]).plan
    assert estimate(tmp_path / "spec.yaml").plan == plan
