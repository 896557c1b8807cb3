"""What a step's kernels cost beyond the bytes of its weights, as measured."""

from __future__ import annotations

import pytest
from planned import served

from hbspec.estimators.serving.constants import SERVED
from hbspec.estimators.serving.decoding import step_of
from hbspec.estimators.serving.prefill import prefill_seconds, prompt_seconds, reached_share


def test_adapters_of_their_own_cost_kernels_in_every_layer():
    """vLLM 0.19.2, Qwen3-30B-A3B on a B200: 4.4 to 4.7 ms a step of 48 layers, whatever the number of requests."""
    more = {"instance": {"type": "ml.g6e.2xlarge"}, "quantization": "none"}
    for requests in (1, 32):
        merged, separate = (
            step_of(served("Qwen/Qwen3-8B", **more, adapters=kind), 100, requests) for kind in ("merged", "separate")
        )
        assert separate.seconds() - merged.seconds() == pytest.approx(36 * 95e-6)
    assert 4.4e-3 < 48 * SERVED.adapted_layer < 4.7e-3


def test_experts_cost_kernels_in_every_layer_that_has_them():
    """vLLM's fused experts, one token, beyond the bytes of those visited: 19 to 50 microseconds."""
    rtx = {
        "instance": {"gpu": "RTX PRO 6000", "gpus": 4},
        "tensor_parallel": 4,
        "quantization": "fp8",
        "adapters": "merged",
    }
    sparse, dense = (step_of(served(model, **rtx), 1024) for model in ("Qwen/Qwen3-235B-A22B", "Qwen/Qwen3-32B"))
    assert (sparse.sparse_layers, dense.sparse_layers) == (94, 0)
    assert sparse.seconds() - sparse._replace(sparse_layers=0).seconds() == pytest.approx(
        94 * SERVED.sparse_layer["gddr_ecc"]
    )
    assert sparse.interval().low < 17.14e-3 < sparse.interval().high  # four RTX PRO 6000, one request


def test_bitsandbytes_unpacks_every_expert_in_every_step():
    """Eight requests of Qwen3-30B-A3B on a B200: 177 tokens/s, and 1,449 in 16 bits (unsloth pull request 5123)."""
    more = {"instance": {"gpu": "B200"}, "adapters": "merged"}
    packed, whole = (
        step_of(served("Qwen/Qwen3-30B-A3B", **more, quantization=kind), 64, 8).interval() for kind in ("nf4", "none")
    )
    assert packed.low < 8 / 177 < packed.high
    assert packed.expected == pytest.approx(8 / 177, rel=0.25)
    assert whole.low < 8 / 1449.5 < whole.high


@pytest.mark.parametrize(
    ("gpu", "timed"),
    [("H100-80", 1.34), ("H200-141", 1.5), ("B200", 1.17), ("L40S", 1.55), ("RTX PRO 6000", 1.75)],
)
def test_products_in_fp8_are_less_than_twice_as_fast(gpu, timed):
    """How many times as fast as in 16 bits: vLLM 0.24's products, in aiconfigurator-core 0.12.0 (PyPI)."""
    more = {"instance": {"gpu": gpu}, "adapters": "merged"}
    whole, eight = (served("Qwen/Qwen3-8B", **more, quantization=kind) for kind in ("none", "fp8"))
    seconds = [prompt_seconds(plan, 8192) / reached_share(plan) for plan in (whole, eight)]
    assert seconds[0] / seconds[1] == pytest.approx(timed, rel=0.2)
    assert prefill_seconds(eight, 8192).low >= prompt_seconds(eight, 8192), "the data sheet's speed is the least"


def test_fp8_on_a_gpu_without_it_is_as_fast_as_16_bits():
    more = {"instance": {"gpu": "A100-80"}, "adapters": "merged"}
    whole, eight = (served("Qwen/Qwen3-8B", **more, quantization=kind) for kind in ("none", "fp8"))
    assert prompt_seconds(eight, 8192) / reached_share(eight) == prompt_seconds(whole, 8192) / reached_share(whole)
