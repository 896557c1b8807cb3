from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from planned import R1, served

from hbspec.catalog import catalog
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.decoding import streamed_bytes
from hbspec.estimators.serving import serving, weights_bytes
from hbspec.units import GB, GIB

T4 = {"instance": {"type": "ml.g4dn.2xlarge"}, "region": "us-east-1"}
A10G = {"instance": {"type": "ml.g5.2xlarge"}, "region": "us-east-1"}


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


def test_a10g_holds_the_weights_but_not_four_long_requests():
    assert serving(served(**A10G)).verdict == "does_not_fit"
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
    assert four.terms["weights"] == -(-one.terms["weights"] // 4)
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
    found = serving(replace(served(**A10G), hardware=None))
    assert (found.verdict, found.decode_tokens_per_second, found.hourly_cost) == ("unknown", None, None)
    with pytest.raises(NotKnownError, match="hardware"):
        found.tokens_within(1)


def test_dictionary():
    found = serving(served(**T4)).to_dict()
    assert found["daily_cost"] == {"amount": "22.56", "currency": "USD"}
    assert found["memory_bytes"]["expected"] == sum(found["terms"].values())
