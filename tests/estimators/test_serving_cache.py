"""The cache beside what an engine measures at its start, by mechanism."""

from __future__ import annotations

import pytest
from planned import served

from hbspec.catalog import Architecture, catalog
from hbspec.catalog.engines.facts import facts
from hbspec.catalog.gpus import unlisted_gpu
from hbspec.catalog.parameters import weights
from hbspec.estimators.serving.adapters import slot_bytes
from hbspec.estimators.serving.constants import ENGINE
from hbspec.estimators.serving.endpoint import serving
from hbspec.estimators.serving.held import activations_of
from hbspec.estimators.serving.memory import bounded_layers, cache_bytes, gpu_weights, longest_request
from hbspec.estimators.serving.profiled import (
    EngineSettings,
    activations,
    engine_bytes,
    forward_bytes,
    graph_bytes,
    settings_of,
)
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
    assert found.low == found.expected == 6 * 2048 * (14_336 + 4096)
    assert found.high == found.expected + round(2 * 2048 * 1.3 * 4096)


@pytest.mark.parametrize(("minor", "logged"), [(15, 5.64), (16, 5.64), (17, 2.23), (18, 2.23)])
def test_the_sampler_stopped_sorting_with_one_release(minor, logged):
    """Qwen3-14B with 1,024 requests and 8,192 tokens (github.com/llm-d-incubation/llm-d-planner, pull request 205)."""
    found = activations(known("Qwen/Qwen3-14B"), None, EngineSettings(8192, 1024, (0, minor)), 1)
    assert found.expected / GIB == pytest.approx(logged, rel=0.05)


@pytest.mark.parametrize(
    ("model", "parts", "logged"),
    [("mistralai/Mixtral-8x7B-v0.1", 2, 1.21), ("Qwen/Qwen3-30B-A3B", 1, 2.68)],
)
def test_sparse_layers_leave_their_workspaces_beside_the_logits(model, parts, logged):
    """Releases before, and quantised experts, whose kernels are others, leave none (the same pull request)."""
    settings = EngineSettings(8192, 1024, (0, 19))
    found = activations(known(model), None, settings, parts)
    quantised = activations(known(model), None, settings, parts, quantization="fp8")
    assert found.expected / GIB == pytest.approx(logged, rel=0.05)
    assert found.expected > quantised.expected
    assert activations(known(model), None, settings._replace(release=(0, 18)), parts) == quantised


def test_graphs_count_from_a_release_on_and_not_in_eager_engines():
    settings = [EngineSettings(2048, 256, (0, minor)) for minor in (20, 23, 30)]
    old, counted, apart = (engine_bytes(known(LLAMA), each, 1) for each in settings)
    assert old == ENGINE.outside.map(round)
    assert engine_bytes(known(LLAMA), EngineSettings(2048, 256, (0, 18)), 1) == ENGINE.outside_older.map(round)
    assert counted.expected == pytest.approx(old.expected + graph_bytes(known(LLAMA), settings[1]).expected, abs=1)
    assert (apart.expected, apart.high) == (old.expected, counted.high)
    assert engine_bytes(known(LLAMA), EngineSettings(2048, 256, (0, 23), eager=True), 1) == old


@pytest.mark.parametrize(
    ("model", "requests", "logged"),
    [
        ("Qwen/Qwen2.5-7B", 16, 0.08),
        ("Qwen/Qwen2.5-7B", 256, 0.53),
        (LLAMA, 1024, 0.84),
        ("meta-llama/Llama-3.3-70B-Instruct", 1024, 1.82),
    ],
)
def test_graphs_grow_with_their_number_and_with_layers(model, requests, logged):
    """Logs of releases 0.19 to 0.24; most graphs are of up to 512 tokens, whatever the requests."""
    found = graph_bytes(known(model), EngineSettings(2048, requests, (0, 23)))
    assert found.expected / GIB == pytest.approx(logged, rel=0.2)
    assert found.low < logged * GIB < found.high


def test_gpus_that_share_a_model_have_buffers_for_sums():
    alone, joined = (engine_bytes(known(LLAMA), EngineSettings(2048, 8, (0, 20)), parts) for parts in (1, 2))
    assert joined.expected > 5 * alone.expected


@pytest.mark.parametrize(("parts", "logged"), [(1, 14.99), (2, 7.51), (4, 3.77)])
def test_each_gpu_holds_the_rotary_table_whole(parts, logged):
    """Logs of Llama-3.1-8B: two decimals of GiB (github.com/llm-d-incubation/llm-d-planner, pull request 205)."""
    plan = served(LLAMA, **A10GS, tensor_parallel=parts, quantization="none", adapters="merged")
    assert round(gpu_weights(plan) / GIB, 2) == logged


def test_a_model_of_ten_million_positions_has_a_large_table():
    scout = served("meta-llama/Llama-4-Scout-17B-16E-Instruct", **L40S, tensor_parallel=4, quantization="none")
    assert gpu_weights(scout) - -(-serving(scout).weights_bytes // 4) == 2 * 10_485_760 * 128


@pytest.mark.parametrize(("size", "logged"), [("4b", 8.58), ("12b", 23.31), ("27b", 51.45)])
def test_scaled_angles_have_a_table_as_many_times_longer(size, logged):
    """vLLM 0.19: Gemma 3 scales by 8, and its windows have a table of their own; the rest is its published weights."""
    name = f"google/gemma-3-{size}-it"
    plan, published = served(name, **A10GS, quantization="none"), catalog().models[name].reported_parameters
    table = 2 * known(name).head_dim * 131_072 * (8 + 1)
    assert gpu_weights(plan) == 2 * published + table
    assert gpu_weights(plan) / GIB == pytest.approx(logged, rel=0.0025)


@pytest.mark.parametrize(
    ("name", "tables"),
    [
        ("Qwen/Qwen3-VL-32B-Instruct", 4),  # positions of images
        ("deepseek-ai/deepseek-coder-6.7b-base", 4),  # scaled by 4
        ("google/gemma-3-1b-it", 2),  # one of windows, one of the rest, neither scaled
        ("meta-llama/Llama-3.1-8B", 1),  # scaled, but not in a longer table
    ],
)
def test_tables_have_positions_of_their_own(name, tables):
    assert known(name).tabulated_positions == tables * known(name).max_position_embeddings


@pytest.mark.parametrize("factor", [None, "8", True, 0, -4, 1e9, float("nan")])
def test_a_factor_that_is_not_one_scales_nothing(factor):
    sizes = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size")
    config = dict.fromkeys(sizes, 8) | {"model_type": "llama", "max_position_embeddings": 2048}
    scaled = {**config, "rope_scaling": {"rope_type": "linear", "factor": factor}}
    assert Architecture.from_config(scaled).tabulated_positions == 2048


def test_a_model_that_does_not_rotate_has_no_table():
    hybrid = served("ibm-granite/granite-4.0-h-tiny", **A10GS, tensor_parallel=1, quantization="none")
    assert gpu_weights(hybrid) == serving(hybrid).weights_bytes


def test_lmi_has_an_older_vllm():
    lmi = settings_of(served(LLAMA, **A10GS, engine="djl-lmi")).release
    assert facts("lmi")["vllm"].startswith(".".join(map(str, lmi)))
    assert lmi < settings_of(served(LLAMA, **A10GS)).release


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
    held = found.terms["weights"] + activations_of(plan).low
    best = plan.utilization * found.usable * MEMORY_SEEN - held
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
