"""What a step's kernels cost beyond the bytes of its weights, as measured."""

from __future__ import annotations

import pytest
from planned import served

from hbspec.estimators.serving.constants import SERVED
from hbspec.estimators.serving.decoding import step_of


def test_adapters_of_their_own_cost_kernels_in_every_layer():
    """vLLM 0.19.2, Qwen3-30B-A3B on a B200: 4.4 to 4.7 ms a step of 48 layers, whatever the number of requests."""
    more = {"instance": {"type": "ml.g6e.2xlarge"}, "quantization": "none"}
    for requests in (1, 32):
        merged, separate = (
            step_of(served("Qwen/Qwen3-8B", **more, adapters=kind), 100, requests) for kind in ("merged", "separate")
        )
        assert separate.seconds() - merged.seconds() == pytest.approx(36 * 95e-6)
    assert 4.4e-3 < 48 * SERVED.adapted_layer < 4.7e-3


def test_bitsandbytes_unpacks_every_expert_in_every_step():
    """Eight requests of Qwen3-30B-A3B on a B200: 177 tokens/s, and 1,449 in 16 bits (unsloth pull request 5123)."""
    more = {"instance": {"gpu": "B200"}, "adapters": "merged"}
    packed, whole = (
        step_of(served("Qwen/Qwen3-30B-A3B", **more, quantization=kind), 64, 8).interval() for kind in ("nf4", "none")
    )
    assert packed.low < 8 / 177 < packed.high
    assert packed.expected == pytest.approx(8 / 177, rel=0.25)
    assert whole.low < 8 / 1449.5 < whole.high
