"""Laws of endpoints: what more of something may never make better, and sums."""

from __future__ import annotations

from decimal import Decimal

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from hbspec.catalog import catalog
from hbspec.catalog.layers import FULL
from hbspec.estimators.serving.decoding import step_of, streamed_bytes
from hbspec.estimators.serving.endpoint import serving, weights_bytes
from hbspec.estimators.serving.memory import cache_bytes, longest_request
from hbspec.estimators.serving.prefill import answering_seconds
from hbspec.estimators.serving.room import startable
from hbspec.plan import build_serving_plan
from hbspec.spec import Spec

SERVED = ((name, catalog().models[name].architecture) for name in catalog().models.originals())
MODELS = sorted(name for name, found in SERVED if found and found.serves)
"""Serving of linear attention is not known."""
TYPES = ["ml.g4dn.12xlarge", "ml.g5.12xlarge", "ml.g6.12xlarge", "ml.p4d.24xlarge", "ml.p5.48xlarge"]
VERDICTS = ["fits", "tight", "does_not_fit"]
QUANTIZATIONS = ["none", "nf4", "int8", "awq", "gptq", "fp8"]
ENDPOINTS = st.fixed_dictionaries(
    {
        "model": st.sampled_from(MODELS),
        "type": st.sampled_from(TYPES),
        "quantization": st.sampled_from(QUANTIZATIONS),
        "tensor_parallel": st.sampled_from([1, 2, 4]),
        "concurrency": st.integers(1, 64),
        "max_model_len": st.integers(64, 200_000),
        "typical_input_tokens": st.integers(1, 20_000),
        "typical_output_tokens": st.integers(1, 4_000),
    }
)


def served(endpoint, **more):
    model = endpoint["model"]
    rest = {key: value for key, value in endpoint.items() if key not in ("model", "type")}
    deployment = {"instance": {"type": endpoint["type"]}, "region": "us-east-1", **rest, **more}
    values = {
        "hbspec": 1,
        "name": "law",
        "model": {"id": model},
        "instance": {"type": "ml.p4d.24xlarge", "region": "us-east-1"},
        "hyperparameters": {
            "method": "full",
            "learning_rate": 1e-4,
            "max_steps": 10,
            "max_length": 512,
            "per_device_batch_size": 1,
            "gradient_accumulation_steps": 1,
        },
        "deployment": deployment,
    }
    plan = build_serving_plan(Spec.model_validate(values), catalog(), catalog().models[model].architecture, None, 300.0)
    assert plan is not None
    return plan


@examples(40)
@given(ENDPOINTS)
def test_terms_add_up(endpoint):
    found = serving(served(endpoint))
    assert sum(found.terms.values()) == round(found.memory.expected)
    assert found.memory.low <= found.memory.expected <= found.memory.high


@examples(40)
@given(ENDPOINTS, st.integers(1, 30_000), st.integers(1, 64))
def test_more_to_read_or_more_at_once_is_never_faster_for_a_request(endpoint, tokens, more):
    plan = served(endpoint)
    now = step_of(plan, 1000, plan.concurrency)
    longer = step_of(plan, 1000 + tokens, plan.concurrency)
    fuller = step_of(plan, 1000, plan.concurrency + more)
    for other in (longer, fuller):
        assert other.least >= now.least
        assert other.seconds() >= now.seconds() * (1 - 1e-12)
    assert answering_seconds(plan, 1000 + tokens, 100, 1).expected >= answering_seconds(plan, 1000, 100, 1).expected


@examples(40)
@given(ENDPOINTS, st.integers(1, 30_000), st.integers(1, 64))
def test_more_asked_for_needs_more(endpoint, tokens, more):
    now = serving(served(endpoint))
    longer = serving(served(endpoint, max_model_len=endpoint["max_model_len"] + tokens))
    fuller = serving(served(endpoint, concurrency=endpoint["concurrency"] + more))
    for other in (longer, fuller):
        assert other.kv_bytes_needed >= now.kv_bytes_needed
        assert other.memory.expected >= now.memory.expected
        assert VERDICTS.index(other.verdict) >= VERDICTS.index(now.verdict)
    assert longer.largest_concurrency <= now.largest_concurrency
    assert fuller.largest_context <= now.largest_context
    if fuller.load and now.load:
        # logits of more requests leave less room for their cache
        assert fuller.load.largest_concurrency <= now.load.largest_concurrency
        if fuller.load.concurrency >= now.load.concurrency:
            assert fuller.load.latency_seconds.expected >= now.load.latency_seconds.expected * (1 - 1e-12)


@examples(40)
@given(ENDPOINTS)
def test_a_cache_of_fewer_bits_is_never_worse(endpoint):
    whole, half = (serving(served(endpoint, kv_cache_dtype=dtype)) for dtype in ("auto", "fp8"))
    assert half.memory.expected <= whole.memory.expected
    assert half.largest_context >= whole.largest_context
    assert half.largest_concurrency >= whole.largest_concurrency
    assert half.decode_tokens_per_second.expected >= whole.decode_tokens_per_second.expected
    if whole.load:
        assert half.load.largest_concurrency >= whole.load.largest_concurrency


@examples(40)
@given(ENDPOINTS)
def test_a_load_is_what_it_takes(endpoint):
    found = serving(served(endpoint))
    if found.load is None:
        assert found.unknown["load"]
        return
    load, answer = found.load, endpoint["typical_output_tokens"]
    assert 1 <= load.concurrency <= min(endpoint["concurrency"], load.largest_concurrency)
    assert load.requests_per_hour.low == pytest.approx(3600 * load.concurrency / load.latency_seconds.high)
    assert load.tokens_per_second.expected == pytest.approx(load.requests_per_hour.expected * answer / 3600)
    assert load.latency_seconds.expected >= found.latency_seconds.expected * (1 - 1e-12)
    charge, hourly = found.cost_per_1000_answers, float(found.hourly_cost.amount)
    assert float(charge.high) == pytest.approx(1000 * hourly / load.requests_per_hour.low)
    assert charge.low <= charge.expected <= charge.high


@examples(40)
@given(ENDPOINTS)
def test_no_estimate_beats_physics(endpoint):
    plan = served(endpoint)
    step = step_of(plan, 1000, plan.concurrency)
    found = step.interval()
    assert step.least <= found.low <= found.expected <= found.high


@examples(40)
@given(ENDPOINTS, st.sampled_from([2, 4]))
def test_sharing_never_needs_more_weights_a_gpu(endpoint, parts):
    alone, shared = serving(served(endpoint, tensor_parallel=1)), serving(served(endpoint, tensor_parallel=parts))
    assert shared.terms["weights"] <= alone.terms["weights"]
    assert shared.weights_bytes == alone.weights_bytes
    assert shared.largest_context >= alone.largest_context


@pytest.mark.parametrize("model", MODELS)
def test_quantised_is_never_larger(model):
    architecture = catalog().models[model].architecture
    whole = weights_bytes(architecture, "none")
    sizes = {name: weights_bytes(architecture, name) for name in QUANTIZATIONS}
    assert all(size <= whole for size in sizes.values())
    assert sizes["nf4"] <= sizes["int8"]
    assert sizes["awq"] <= sizes["fp8"]


@pytest.mark.parametrize("model", MODELS)
def test_a_window_never_keeps_more_than_everything(model):
    architecture = catalog().models[model].architecture
    everything = architecture._replace(sliding_window=None, layer_types=(FULL,) * architecture.num_hidden_layers)
    for tokens in (0, 1, 100, 4096, 8192, 131_072):
        bounded = cache_bytes(architecture, tokens)
        assert bounded <= cache_bytes(everything, tokens)
        if architecture.sliding_window is None or tokens <= architecture.sliding_window:
            assert bounded == cache_bytes(everything, tokens)


@examples(100)
@given(st.sampled_from(MODELS), st.integers(1, 500_000))
def test_the_longest_request_is_the_inverse_of_the_cache(model, tokens):
    architecture = catalog().models[model].architecture
    longest = longest_request(architecture, cache_bytes(architecture, tokens))
    if cache_bytes(architecture, tokens + 1) > cache_bytes(architecture, tokens):
        assert longest == tokens
    else:
        assert longest >= architecture.max_position_embeddings


@examples(40)
@given(st.sampled_from(MODELS), st.integers(1, 100))
def test_more_requests_visit_more_experts_and_never_more_than_all(model, requests):
    architecture = catalog().models[model].architecture
    whole = weights_bytes(architecture, "none")
    one, many, more = (streamed_bytes(architecture, whole, count) for count in (1, requests, requests + 1))
    assert one <= many <= more <= whole


@examples(25)
@given(ENDPOINTS, st.integers(1, 20), st.integers(0, 5), st.integers(0, 5))
def test_cost_is_linear_in_instances(endpoint, count, below, above):
    one = serving(served(endpoint))
    bounds = {"min": max(1, count - below), "max": count + above}
    many = serving(served(endpoint, instance={"type": endpoint["type"], "count": count}, autoscaling=bounds))
    assert many.hourly_cost.amount == count * one.hourly_cost.amount
    assert many.monthly_cost.amount == 30 * many.daily_cost.amount == 720 * many.hourly_cost.amount
    scaled = many.charges.scaled["daily"]
    assert scaled.low == Decimal(24 * bounds["min"]) * one.hourly_cost.amount
    assert scaled.high == Decimal(24 * bounds["max"]) * one.hourly_cost.amount
    assert scaled.expected == many.daily_cost.amount
    assert many.cost_per_1000_answers == one.cost_per_1000_answers


@examples(40)
@given(ENDPOINTS, st.integers(1, 4))
def test_a_gpu_holds_at_least_one_key_value_head(endpoint, times):
    """vLLM, `ModelConfig.get_num_kv_heads`: max(1, heads // tensor_parallel_size); more GPUs repeat the heads."""
    heads = catalog().models[endpoint["model"]].architecture.num_key_value_heads
    enough, more = (served(endpoint, tensor_parallel=parts) for parts in (heads, heads * times))
    least, same = serving(enough), serving(more)
    assert same.terms["kv_cache"] == least.terms["kv_cache"]
    assert same.kv_bytes_per_token == times * least.kv_bytes_per_token
    assert step_of(more, 1000).cache == step_of(enough, 1000).cache


@examples(40)
@given(ENDPOINTS, st.sampled_from([1, 2, 4, 8, 16]))
def test_the_requests_that_fit_are_those_whose_heads_each_gpu_holds(endpoint, parts):
    plan = served(endpoint, tensor_parallel=parts)
    found, architecture = serving(plan), plan.architecture
    tokens = endpoint["typical_input_tokens"] + endpoint["typical_output_tokens"]
    each = cache_bytes(architecture, tokens) * max(1 / parts, 1 / architecture.num_key_value_heads)
    room = found.budget - sum(size for name, size in found.terms.items() if name != "kv_cache")
    assert (found.load.largest_concurrency if found.load else 0) == max(0, room // each)


@examples(80)
@given(ENDPOINTS)
def test_an_assumed_length_surely_starts_or_is_the_typical_request(endpoint):
    plan = startable(served(endpoint, max_model_len=None))
    typical = endpoint["typical_input_tokens"] + endpoint["typical_output_tokens"]
    positions = plan.architecture.max_position_embeddings
    assert min(typical, positions) <= plan.max_model_len <= positions
    assert serving(plan).sure_room.longest or plan.max_model_len == min(typical, positions)
