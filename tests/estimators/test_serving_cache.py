"""The cache beside what an engine measures at its start, by mechanism."""

from __future__ import annotations

import pytest
from planned import served

from hbspec.catalog import Architecture, catalog
from hbspec.catalog.gpus import unlisted_gpu
from hbspec.catalog.parameters import weights
from hbspec.estimators.serving.adapters import slot_bytes
from hbspec.estimators.serving.constants import ENGINE
from hbspec.estimators.serving.endpoint import serving
from hbspec.estimators.serving.memory import bounded_layers, cache_bytes, longest_request
from hbspec.estimators.serving.profiled import EngineSettings, activations, engine_bytes, forward_bytes, settings_of
from hbspec.estimators.serving.room import MEMORY_SEEN, cache_tokens, room_bytes
from hbspec.units import GIB

A10GS = {"instance": {"type": "ml.g5.12xlarge"}, "region": "us-east-1"}
L40S = {"instance": {"type": "ml.g6e.12xlarge"}, "region": "us-east-1"}
LLAMA, SMALL = "meta-llama/Llama-3.1-8B", "Qwen/Qwen2.5-3B"


def known(name: str) -> Architecture:
    found = catalog().models[name].architecture
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("model", "tokens", "parts", "logged"),
    [(LLAMA, 20_000, 1, 2.07), ("Qwen/Qwen2.5-0.5B", 32_768, 1, 1.06), ("Qwen/Qwen3-235B-A22B", 8_192, 4, 0.76)],
)
def test_a_forward_pass_holds_what_logs_say(model, tokens, parts, logged):
    assert forward_bytes(known(model), tokens, parts) / GIB == pytest.approx(logged, rel=0.05)


@pytest.mark.parametrize(("model", "logged"), [(LLAMA, 1.19), ("Qwen/Qwen2.5-7B", 1.40)])
def test_a_sampler_that_sorts_takes_more_than_the_pass(model, logged):
    found = activations(known(model), None, EngineSettings(2048, 256, (0, 10)), 1)
    assert found.expected / GIB == pytest.approx(logged, rel=0.03)
    assert found.expected > forward_bytes(known(model), 2048)


def test_an_old_gpu_sorts_whatever_the_release():
    new, t4 = EngineSettings(2048, 256, (0, 30)), catalog().gpus["T4"]
    modern = catalog().gpus["A10G"]
    assert activations(known(LLAMA), t4, new, 1).expected > 2 * activations(known(LLAMA), modern, new, 1).expected
    assert activations(known(LLAMA), unlisted_gpu("other", 24 * GIB), new, 1).high > 1.1 * GIB


def test_few_requests_leave_the_forward_pass():
    found = activations(known(LLAMA), None, EngineSettings(2048, 8, (0, 30)), 1)
    assert found.is_exact
    assert found.expected == 6 * 2048 * (14_336 + 4096)


def test_graphs_count_from_a_release_on_and_not_in_eager_engines():
    old, counted, apart = (engine_bytes(EngineSettings(2048, 256, (0, minor)), 1) for minor in (20, 23, 30))
    assert old == ENGINE.outside.map(round)
    assert counted.expected == pytest.approx(old.expected + ENGINE.graphs.expected + ENGINE.graphs_captured.expected)
    assert (apart.expected, apart.high) == (old.expected, counted.high)
    assert engine_bytes(EngineSettings(2048, 256, (0, 23), eager=True), 1) == old


def test_gpus_that_share_a_model_have_buffers_for_sums():
    alone, joined = (engine_bytes(EngineSettings(2048, 8, (0, 20)), parts) for parts in (1, 2))
    assert joined.expected > 5 * alone.expected


def test_lmi_has_an_older_vllm():
    assert settings_of(served(LLAMA, **A10GS, engine="djl-lmi")).release < settings_of(served(LLAMA, **A10GS)).release


def test_heads_are_copied_once_gpus_outnumber_them():
    """Two key-value heads on four GPUs: each GPU holds one, so a token takes as much per GPU as on two GPUs."""
    two, four = (
        serving(served(SMALL, **A10GS, tensor_parallel=parts, quantization="none", adapters="merged"))
        for parts in (2, 4)
    )
    assert four.kv_bytes_per_token == 2 * two.kv_bytes_per_token
    free = room_bytes(served(SMALL, **A10GS, tensor_parallel=4, quantization="none", adapters="merged"))
    assert four.cache_tokens.expected == free.expected // 4 // (two.kv_bytes_per_token // 2)


def test_the_cache_is_the_share_less_what_is_measured():
    plan = served(LLAMA, **L40S, quantization="none", adapters="merged", concurrency=8)
    found = serving(plan)
    taken = sum(size for name, size in found.terms.items() if name != "kv_cache")
    assert room_bytes(plan).expected == pytest.approx(plan.utilization * found.usable - taken, abs=1)
    assert found.cache_tokens.expected == room_bytes(plan).expected // 131_072
    best = plan.utilization * found.usable * MEMORY_SEEN - found.weights_bytes - found.terms["activations"]
    assert room_bytes(plan).best == pytest.approx(best - found.engine_bytes.low, abs=1)


def test_an_eight_bit_cache_holds_twice_as_many():
    eight, sixteen = (
        serving(served(LLAMA, **L40S, kv_cache_dtype=dtype)).cache_tokens.expected for dtype in ("fp8", "auto")
    )
    assert eight in (2 * sixteen, 2 * sixteen + 1)


def test_layers_with_windows_have_no_number_of_tokens():
    assert cache_tokens(served("google/gemma-3-1b-it", **L40S, quantization="none")) is None


def test_a_slot_has_every_linear_module_whatever_was_trained():
    few = serving(served(LLAMA, **L40S, adapters="separate")._replace(lora_parameters=1))
    linear = [weight for weight in weights(known(LLAMA)) if weight.kind == "linear"]
    each = sum(weight.modules * (weight.rows + weight.columns) for weight in linear)
    assert few.terms["adapters"] == 2 * 16 * each


def test_half_of_each_adapter_is_on_every_gpu():
    one, two = (slot_bytes(known(LLAMA), 16, parts) for parts in (1, 2))
    assert one / 2 < two < one


def test_experts_have_places_too():
    mixtral = known("mistralai/Mixtral-8x7B-v0.1")
    assert slot_bytes(mixtral, 16, 1) > 4 * slot_bytes(known("mistralai/Mistral-7B-v0.1"), 16, 1)


def test_a_layer_with_a_window_has_room_for_a_chunk_beside_it():
    """vLLM counts window - 1 + max_num_batched_tokens tokens for each request that it lets in."""
    plan = served("google/gemma-3-1b-it", **L40S, quantization="none", max_model_len=32_768, concurrency=1)
    gemma = known("google/gemma-3-1b-it")
    answering, reading = (cache_bytes(gemma, 32_768, 2, scheduled) for scheduled in (1, 2048))
    layer = 2 * 2 * gemma.num_key_value_heads * gemma.head_dim
    assert reading - answering == bounded_layers(gemma) * layer * 2047
    assert serving(plan).demand.longest == reading
    assert longest_request(gemma, reading, 2, 2048) == 32_768
