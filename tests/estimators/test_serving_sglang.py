"""What SGLang's share of a GPU holds, and what is not known of it."""

from __future__ import annotations

import pytest
from planned import served

from hbspec.catalog import catalog
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.serving.endpoint import serving
from hbspec.estimators.serving.held import activations_of, engine_of
from hbspec.estimators.serving.memory import adapter_slot_bytes
from hbspec.plan.engine_share import UNKNOWN_GPU, static_share
from hbspec.units import GIB

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
QWEN = "Qwen/Qwen3-14B"
L40S = {"instance": {"type": "ml.g6e.2xlarge"}}
SGLANG = {"engine": "sglang", "quantization": "none", "adapters": "merged"}


@pytest.mark.parametrize(
    ("model", "instance", "parts", "share", "tokens"),
    [
        (LLAMA, {"type": "ml.p5.48xlarge"}, 1, 0.88, 442_750),  # sgl-project/sglang, pull request 4760
        (QWEN, {"gpu": "RTX 4090", "gpus": 4}, 4, 0.8, 298_447),
        ("Qwen/Qwen2.5-7B", {"gpu": "RTX 3090", "gpus": 1}, 1, 0.88, 105_531),  # jerryzsj/my-deepseek-r1
    ],
)
def test_the_cache_is_what_logs_print(model, instance, parts, share, tokens):
    plan = served(model, **SGLANG, instance=instance, tensor_parallel=parts, gpu_memory_utilization=share)
    found = serving(plan).cache_tokens
    assert found.low < tokens < found.high
    assert found.expected == pytest.approx(tokens, rel=0.07)


def test_activations_lie_outside_of_the_share():
    plan = served(LLAMA, **SGLANG, **L40S)
    assert activations_of(plan).high == 0
    assert 0.2 * GIB < engine_of(plan).low < engine_of(plan).expected < 0.7 * GIB


@pytest.mark.parametrize(
    ("gpu", "parts", "share"),
    [("T4", 1, 0.750), ("A10G", 1, 0.834), ("A10G", 4, 0.812), ("L40S", 1, 0.849), ("H100-80", 1, 0.834)],
)
def test_its_own_share_is_that_of_its_rule(gpu, parts, share):
    """By hand: 1 - (512 + 1.5 x tokens of a chunk + 2 x requests of a graph + 128 x GPUs) MiB."""
    assert static_share(catalog().gpus[gpu], parts) == pytest.approx(share, abs=0.002)


def test_of_an_unknown_gpu_it_is_that_of_older_releases():
    assert static_share(None, 1) == UNKNOWN_GPU


def test_the_share_is_an_assumption_unless_it_is_given():
    assumed = served(LLAMA, **SGLANG, **L40S)
    given = served(LLAMA, **SGLANG, **L40S, gpu_memory_utilization=0.8)
    assert assumed.assumes("gpu_memory_utilization")
    assert assumed.utilization == assumed.usual_utilization == given.usual_utilization
    assert (given.assumes("gpu_memory_utilization"), given.utilization) == (False, 0.8)


def test_it_has_places_for_eight_adapters():
    here = {**L40S, "quantization": "none", "adapters": "separate"}
    vllm, sglang = (served(LLAMA, **here, engine=engine) for engine in ("vllm", "sglang"))
    assert adapter_slot_bytes(sglang) == 8 * adapter_slot_bytes(vllm)


def test_its_speed_is_not_known():
    found = serving(served(LLAMA, **SGLANG, **L40S))
    assert found.unknown["decode_tokens_per_second"] == "the speed of SGLang"
    assert (found.load, found.cost_per_1000_answers, found.latency_seconds) == (None, None, None)


@pytest.mark.parametrize("model", ["google/gemma-3-4b-it", "Qwen/Qwen3-Next-80B-A3B-Instruct"])
def test_pools_of_windows_and_states_are_not_known(model):
    with pytest.raises(NotKnownError, match="windows or states"):
        serving(served(model, **SGLANG, instance={"type": "ml.p5.48xlarge"}))


def test_weights_that_it_quantises_itself_are_not_known():
    with pytest.raises(NotKnownError, match="quantises while it loads"):
        serving(served(LLAMA, **{**SGLANG, "adapters": "separate", "quantization": "fp8"}, **L40S))
