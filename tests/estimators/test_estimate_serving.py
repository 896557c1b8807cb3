from __future__ import annotations

import json
from decimal import Decimal

import pytest
from planned import R1, served

from hbspec.catalog import catalog
from hbspec.catalog.parameters import kv_cache_bytes_per_token
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.serving.constants import ENGINE, SERVING
from hbspec.estimators.serving.cost import NO_PRICE, OF_LIVE_ENDPOINT
from hbspec.estimators.serving.decoding import (
    DecodingStep,
    peak_flops,
    step_of,
    streamed_bytes,
)
from hbspec.estimators.serving.endpoint import serving, weights_bytes
from hbspec.estimators.serving.machines import host_of
from hbspec.estimators.serving.memory import bounded_layers, cache_bytes
from hbspec.estimators.serving.prefill import prefill_seconds
from hbspec.estimators.serving.profiled import forward_bytes
from hbspec.units import GB, GIB

T4 = {"instance": {"type": "ml.g4dn.2xlarge"}, "region": "us-east-1"}
A10G = {"instance": {"type": "ml.g5.2xlarge"}, "region": "us-east-1"}
ROTARY = 2 * 131_072 * 128
"""Bytes of the table of rotary angles of Llama 3.1, which each GPU holds whole."""


def test_weights_and_cache_of_the_seed():
    found = serving(served(**A10G))
    assert found.weights_bytes / GB == pytest.approx(19.215, abs=5e-4)
    assert found.kv_bytes_per_token == 262_144
    assert found.kv_bytes_needed == 4 * GIB


def test_t4_cannot_hold_the_weights():
    found = serving(served(**T4))
    assert found.usable == pytest.approx(14.56 * GIB, abs=1)
    assert found.usable < found.weights_bytes
    assert (found.verdict, found.largest_context, found.largest_concurrency) == ("does_not_fit", 0, 0)


def test_a10g_holds_the_weights_and_no_long_request_for_certain():
    four = serving(served(**A10G))
    assert (four.verdict, four.largest_concurrency) == ("tight", 0)
    assert serving(served(**A10G, max_model_len=8192)).verdict == "does_not_fit"
    one = serving(served(**A10G, concurrency=1, max_model_len=2048))
    assert one.verdict == "tight"
    assert 2048 < one.largest_context < 8192
    assert one.largest_concurrency == one.largest_context // 2048


def test_decoding_streams_17_7_gb_a_token():
    architecture = catalog().models[R1].architecture
    assert streamed_bytes(architecture, weights_bytes(architecture, "nf4")) / GB == pytest.approx(17.66, abs=0.005)


def test_two_to_three_seconds_are_at_most_a_hundred_tokens():
    a10g, t4 = serving(served(**A10G)), serving(served(**T4))
    assert 60 <= a10g.tokens_within(2).high <= 70
    assert 95 <= a10g.tokens_within(3).high <= 103
    assert t4.tokens_within(3).high < a10g.tokens_within(2).high
    assert a10g.latency_seconds.low > 3


def test_costs_of_an_endpoint():
    found = serving(served(**T4))
    assert (found.hourly_cost.amount, found.hourly_cost.currency) == (Decimal("0.94"), "USD")
    assert found.daily_cost.amount == Decimal("22.56")
    assert found.monthly_cost.amount == Decimal("676.80")
    assert serving(served(instance={"type": "ml.g4dn.2xlarge", "count": 2}, region="us-east-1")).daily_cost.amount == (
        2 * found.daily_cost.amount
    )


def test_fp8_cache_is_half():
    half, whole = (serving(served(**A10G, kv_cache_dtype=dtype)) for dtype in ("fp8", "auto"))
    assert 2 * half.kv_bytes_needed == whole.kv_bytes_needed
    assert half.largest_context in (2 * whole.largest_context, 2 * whole.largest_context + 1)


def test_tensor_parallel_shares_weights_and_cache():
    instance = {"instance": {"type": "ml.g5.12xlarge"}, "region": "us-east-1"}
    one, four = (serving(served(**instance, tensor_parallel=parts)) for parts in (1, 4))
    assert four.terms["weights"] - ROTARY == -(-(one.terms["weights"] - ROTARY) // 4)
    assert four.verdict == "fits"
    assert four.largest_context > 8 * one.largest_context


def test_separate_adapters_fill_the_engines_slot():
    merged, separate, wide = (
        serving(served(**A10G, **more))
        for more in ({"adapters": "merged"}, {"adapters": "separate"}, {"adapters": "separate", "max_lora_rank": 64})
    )
    assert "adapters" not in merged.terms
    assert separate.terms["adapters"] == 2 * 134_217_728
    assert wide.terms["adapters"] == 4 * separate.terms["adapters"]


def test_missing_facts_leave_the_rest():
    found = serving(served(instance={"gpu": "GB200"}, typical_output_tokens=None))
    assert found.verdict == "unknown"
    assert found.largest_context is None
    assert found.latency_seconds is None
    assert found.hourly_cost is None
    assert found.unknown["latency_seconds"] == "deployment.typical_output_tokens"
    assert "price" in found.unknown["hourly_cost"]
    assert found.decode_tokens_per_second.high > 0


def test_hardware_that_is_not_known():
    found = serving(served(**A10G)._replace(hardware=None))
    assert (found.verdict, found.decode_tokens_per_second, found.hourly_cost) == ("unknown", None, None)
    with pytest.raises(NotKnownError, match="hardware"):
        found.tokens_within(1)


H100 = {"instance": {"type": "ml.p5.48xlarge"}, "region": "us-east-1"}


def test_under_load_each_gets_less_and_all_get_more():
    found = serving(served(**H100, quantization="none", tensor_parallel=2, concurrency=16))
    assert found.load.concurrency == 16
    assert found.load.request_tokens_per_second.expected < found.decode_tokens_per_second.expected
    assert found.load.tokens_per_second.expected > 5 * found.decode_tokens_per_second.expected
    assert found.load.latency_seconds.expected > found.latency_seconds.expected
    requests = found.load.requests_per_hour
    assert requests.expected == pytest.approx(16 * 3600 / found.load.latency_seconds.expected)
    assert found.load.tokens_per_second.expected == pytest.approx(requests.expected * 400 / 3600)


def test_no_more_at_once_than_the_cache_holds():
    plan = served(**A10G, typical_input_tokens=400, typical_output_tokens=400, concurrency=64)
    found = serving(plan)
    room = found.budget - sum(size for name, size in found.terms.items() if name != "kv_cache")
    assert found.load.concurrency == room // (800 * found.kv_bytes_per_token) < 64


def test_where_not_one_request_fits():
    found = serving(served(**T4))
    assert found.load is None
    assert "one typical request" in found.unknown["load"]


def test_an_answers_cost_is_the_instances_for_its_time():
    found = serving(served(**H100, quantization="none", tensor_parallel=2))
    charge, requests = found.cost_per_1000_answers, found.load.requests_per_hour
    assert float(charge.expected) == pytest.approx(1000 * float(found.hourly_cost.amount) / requests.expected)
    assert charge.low < charge.expected < charge.high


def test_autoscaling_bounds_the_bill():
    instance = {"instance": {"type": "ml.g5.2xlarge", "count": 2}, "region": "us-east-1"}
    alone, scaled = serving(served(**instance)), serving(served(**instance, autoscaling={"min": 1, "max": 6}))
    assert scaled.hourly_cost == alone.hourly_cost
    hourly, fixed = scaled.charges.scaled["hourly"], alone.charges.scaled["hourly"]
    assert fixed.low == fixed.expected == fixed.high == alone.hourly_cost.amount
    assert (2 * hourly.low, hourly.high) == (hourly.expected, 3 * hourly.expected)


def test_one_endpoint_by_hand():
    """Llama 3.1 8B in bfloat16 on an A10G, each number by its formula; only what is fitted is looked up."""
    found = serving(
        served(
            "meta-llama/Llama-3.1-8B",
            **A10G,
            quantization="none",
            adapters="merged",
            concurrency=8,
            max_model_len=2048,
            typical_input_tokens=1000,
            typical_output_tokens=200,
        )
    )
    parameters, table, layers, hidden = 8_030_261_248, 128_256 * 4096, 32, 4096
    bandwidth, peak = 600e9, 70e12
    token = 2 * 8 * 128 * layers * 2
    assert found.weights_bytes == 2 * parameters
    assert found.kv_bytes_per_token == token == 131_072
    activations = 3 * 2 * 2048 * (14_336 + hidden)
    assert found.terms["activations"] == activations
    assert found.terms["weights"] == 2 * parameters + ROTARY
    room = int(0.9 * found.usable) - 2 * parameters - ROTARY - activations - round(ENGINE.outside.expected)
    assert found.largest_context == room // token
    assert found.largest_concurrency == room // (2048 * token)
    assert found.load.largest_concurrency == room // (1200 * token) > 8

    norms = (2 * layers + 1) * hidden
    operations = 2 * (parameters - 2 * table - norms)
    attention = 2 * 1000**2 * hidden * layers
    served_by = SERVING.served
    ideal = (1000 * operations + attention + 2 * table) / peak
    prefill = ideal / served_by.prefilling["gddr"]
    assert found.prefill_seconds.expected == pytest.approx(prefill)
    assert found.first_token_seconds.expected == pytest.approx(served_by.floor + prefill)
    streamed, reach = 2 * (parameters - table), bandwidth * served_by.streaming["gddr_ecc"]
    host = served_by.step + layers * SERVING.graph_layer
    alone = host + (streamed + 1100 * token) / reach
    assert found.decode_tokens_per_second.expected == pytest.approx(1 / alone)
    assert found.least_token_seconds == pytest.approx((streamed + 1100 * token) / bandwidth)
    assert found.latency_seconds.expected == pytest.approx(served_by.floor + prefill + 200 * alone)
    slowest = (prefill + 200 * alone) * served_by.error["step"].high
    assert found.latency_seconds.high == pytest.approx(served_by.floor + slowest)

    together = host + 7 * served_by.request + (streamed + 8 * 1100 * token) / reach
    took = served_by.floor + 8 * prefill + 200 * together
    each = together + 7 * prefill / 200
    assert found.load.request_tokens_per_second.expected == pytest.approx(1 / each)
    waited = 7 / 8 * (host + 7 * served_by.request + (streamed + 8 * 1000 * token) / reach)
    waited += 7 * served_by.queueing * prefill
    assert found.load.first_token_seconds.expected == pytest.approx(served_by.floor + waited + prefill)
    assert found.load.latency_seconds.expected == pytest.approx(took)
    assert found.load.tokens_per_second.expected == pytest.approx(8 * 200 / took)
    assert found.load.requests_per_hour.expected == pytest.approx(8 * 3600 / took)
    assert found.hourly_cost.amount == Decimal("1.515")
    assert found.daily_cost.amount == Decimal("36.36")
    assert found.monthly_cost.amount == Decimal("1090.80")
    assert float(found.cost_per_1000_answers.expected) == pytest.approx(1.515 * 1000 * took / (8 * 3600))


def test_no_context_beyond_the_positions():
    assert serving(served(**H100, concurrency=1, tensor_parallel=8)).largest_context == 131_072


def test_bitsandbytes_leaves_experts_as_they_are():
    """Qwen3-30B-A3B: 128 experts a layer of 3 x 768 x 2048 in 48 layers, of which a request visits 8."""
    plan = served("Qwen/Qwen3-30B-A3B", **H100)
    experts = 48 * 128 * 3 * 768 * 2048
    table = 2 * 151_936 * 2048
    step, awq = step_of(plan, 0), step_of(plan._replace(quantization="awq"), 0)
    assert step.weights == pytest.approx(weights_bytes(plan.architecture, "nf4") - table - 2 * experts * 120 / 128)
    linear = 48 * 2048 * 128 * (2 * 32 + 2 * 4)
    assert step.unpacked == 2 * linear
    assert awq.unpacked == pytest.approx(2 * (linear + experts * 8 / 128))


def test_reading_several_tokens_unpacks_weights_first():
    plan = served(**A10G)
    one, many = (prefill_seconds(plan, tokens).expected for tokens in (1, 2))
    assert many > 2 * one


def test_a_sliding_window_bounds_the_cache():
    gemma = catalog().models["google/gemma-3-12b-it"].architecture
    layers, bounded = gemma.num_hidden_layers, bounded_layers(gemma)
    assert 0 < bounded < layers
    each = kv_cache_bytes_per_token(gemma) / layers
    assert cache_bytes(gemma, 8192) == each * ((layers - bounded) * 8192 + bounded * gemma.sliding_window)


def test_activations_of_a_long_prompt():
    """30,720 tokens of Qwen2.5-7B in transformers: 21,442,624,225 bytes at the peak (Qwen2.5 speed benchmark)."""
    architecture = catalog().models["Qwen/Qwen2.5-7B"].architecture
    held = weights_bytes(architecture, "none") + cache_bytes(architecture, 30_720)
    assert held + forward_bytes(architecture, 30_720) == pytest.approx(21_442_624_225, rel=0.02)


class TestStep:
    """A step of decoding, by what it is made of."""

    STEP = DecodingStep("vllm", "none", "server", 32, 2e12, 16e9, 0.0, 0.0, 4.0, 0.0, 1, 0)

    def test_weights_stream_over_the_bandwidth(self):
        assert self.STEP.least == 8e-3
        twice = self.STEP._replace(weights=32e9)
        assert twice.seconds() - self.STEP.seconds() == pytest.approx(8e-3 / SERVING.served.streaming["hbm"])

    def test_older_releases_and_other_engines_are_slower(self):
        assert self.STEP._replace(engine="vllm-v0").seconds() > self.STEP.seconds() + 1e-3

    def test_graphics_memory_is_streamed_at_nearly_its_bandwidth(self):
        assert self.STEP._replace(memory="gddr").seconds() < self.STEP.seconds()

    def test_eager_engines_wait_for_the_host(self):
        small = self.STEP._replace(engine="transformers", weights=1e8)
        assert small.seconds() == pytest.approx(32 * SERVING.layer, rel=0.01)
        assert small._replace(host="old").seconds() > small.seconds() > small._replace(host="desktop").seconds()
        assert small._replace(weights=2e8).seconds() == pytest.approx(small.seconds(), rel=0.01)

    def test_sums_over_gpus_add_up(self):
        shared = self.STEP._replace(reductions=64)
        assert shared.seconds() - self.STEP.seconds() == pytest.approx(64 * SERVING.reduction)

    def test_unpacked_weights_cost_where_several_are_answered(self):
        nf4 = self.STEP._replace(quantization="nf4", weights=4e9, unpacked=16e9)
        assert nf4._replace(requests=2).seconds() > 3 * nf4.seconds()
        awq = nf4._replace(quantization="awq")
        assert awq._replace(requests=2).seconds() < 1.1 * awq.seconds()

    def test_llama_cpp_streams_no_faster_than_its_kernels(self):
        slow, fast = (self.STEP._replace(engine=name, bandwidth=8e12) for name in ("llama.cpp", "vllm"))
        assert slow.seconds() > 2 * fast.seconds()

    def test_compute_bounds_large_batches(self):
        busy = self.STEP._replace(products=0.02, requests=256)
        assert busy.seconds() > 0.02 / SERVING.compute


def test_fp8_products_run_at_fp8_speed():
    h100 = served(**H100, quantization="fp8")
    assert peak_flops(h100.hardware.gpu, h100) == 2 * peak_flops(h100.hardware.gpu, h100._replace(quantization="none"))


def test_hosts():
    names = {"T4": "old", "A10G": "server", "RTX 4090": "desktop"}
    assert {name: host_of(catalog().gpus[name]) for name in names} == names


def test_dictionary():
    found = serving(served(**T4)).to_dict()
    assert found["daily_cost"] == {"amount": "22.56", "currency": "USD"}
    assert found["memory_bytes"]["expected"] == sum(found["terms"].values())
    assert found["load"] is None
    assert found["scaled_cost"]["daily"] == {"low": "22.56", "expected": "22.56", "high": "22.56", "currency": "USD"}
    assert found["cost_left_out"] == {}
    assert json.loads(json.dumps(found)) == found


def against(described, **more):
    test = {"baseline": "today", "served_model_name": "assistant", "candidate_weight": 0.1, **described}
    return serving(served(**T4, ab_test=test, **more)), serving(served(**T4, **more))


def test_a_baseline_that_is_not_described_is_not_in_the_bill():
    with_baseline, alone = against({})
    assert with_baseline.to_dict()["cost_left_out"] == {"baseline today": OF_LIVE_ENDPOINT}
    assert with_baseline.hourly_cost == alone.hourly_cost
    assert with_baseline.to_dict()["baseline_hourly_cost"] is None


def test_a_described_baseline_is_billed_beside():
    with_baseline, alone = against(
        {"instance": {"type": "ml.g5.2xlarge", "count": 3}}, autoscaling={"min": 1, "max": 4}
    )
    price = catalog().price("ml.g5.2xlarge", "us-east-1", "hosting").usd_per_hour
    bill, without = with_baseline.charges, alone.charges
    assert bill.baseline.amount == 3 * price
    assert bill.hourly.amount == without.hourly.amount + 3 * price
    assert bill.scaled["monthly"].high == without.scaled["monthly"].high + 720 * 3 * price
    assert bill.scaled["monthly"].low == without.scaled["monthly"].low + 720 * 3 * price
    assert bill.left_out == {}
    assert with_baseline.cost_per_1000_answers == alone.cost_per_1000_answers


def test_an_endpoint_that_may_have_no_instance_may_cost_nothing():
    bill = serving(served(**T4, autoscaling={"min": 0, "max": 2})).charges
    assert (bill.scaled["monthly"].low, bill.scaled["monthly"].high) == (0, 2 * bill.scaled["monthly"].expected)


@pytest.mark.parametrize(
    ("instance", "why"),
    [
        ({"type": "ml.g5.2xlarge", "price": "2 CAD/h"}, "its price is in CAD, that of the endpoint in USD"),
        ({"type": "ml.g9.2xlarge"}, NO_PRICE),
    ],
)
def test_a_baseline_whose_price_does_not_add_up_is_left_out(instance, why):
    with_baseline, alone = against({"instance": instance})
    assert with_baseline.charges.left_out == {"baseline today": why}
    assert with_baseline.hourly_cost == alone.hourly_cost


def test_the_dictionary_of_a_load():
    found = serving(served(**H100, quantization="none", tensor_parallel=2)).to_dict()
    assert found["load"]["concurrency"] == 4
    assert set(found["load"]["tokens_per_second"]) == {"low", "expected", "high"}
    assert found["cost_per_1000_answers"]["currency"] == "USD"
