"""The first token, further tokens, and an endpoint by concurrency."""

from __future__ import annotations

from itertools import pairwise

import pytest
from planned import served

from hbspec.catalog import catalog
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.serving.constants import SERVING
from hbspec.estimators.serving.curve import curve, curve_dicts, held_within
from hbspec.estimators.serving.decoding import step_of
from hbspec.estimators.serving.endpoint import serving
from hbspec.estimators.serving.machines import memory_of, streamed_from
from hbspec.estimators.serving.prefill import first_token_seconds, prefill_seconds, token_seconds

LLAMA = "meta-llama/Llama-3.1-8B"
L40S = {
    "instance": {"type": "ml.g6e.2xlarge"},
    "region": "us-east-1",
    "quantization": "none",
    "adapters": "merged",
    "max_model_len": 2048,
    "typical_input_tokens": 1000,
    "typical_output_tokens": 200,
}


def plan_at(concurrency, **more):
    return served(LLAMA, **{**L40S, "concurrency": concurrency, **more})


def test_a_request_alone_waits_for_nobody():
    plan = plan_at(1)
    prefill = prefill_seconds(plan, 1000)
    assert first_token_seconds(plan, 1000).expected == pytest.approx(SERVING.served.floor + prefill.expected)
    assert token_seconds(plan, 1000, 200) == step_of(plan, 1100).interval()


def test_a_step_of_others_is_waited_for():
    one, many = (first_token_seconds(plan_at(8), 1000, requests) for requests in (1, 8))
    queued = 7 * SERVING.served.queueing * prefill_seconds(plan_at(8), 1000).expected
    assert many.expected - one.expected == pytest.approx(step_of(plan_at(8), 1000, 8).seconds() * 7 / 8 + queued)
    assert many.high > 8 * prefill_seconds(plan_at(8), 1000).expected


def test_long_prompts_are_read_in_chunks_of_a_step_at_least():
    """16 prompts of 2,048 tokens are 16 chunks; on a GPU with much compute each takes as long as its weights."""
    plan = served(LLAMA, **{**L40S, "instance": {"type": "ml.p5.48xlarge"}, "quantization": "fp8"})
    assert first_token_seconds(plan, 32_768).expected >= 16 * step_of(plan, 0).seconds()


def test_prompts_of_others_make_tokens_slower_unless_they_are_cached():
    plan = plan_at(16)
    busy, cached = (token_seconds(plan, 1000, 200, 16, cached=cached).expected for cached in (False, True))
    assert cached == step_of(plan, 1100, 16).interval().expected
    assert busy - cached == pytest.approx(15 / 200 * prefill_seconds(plan, 1000).expected)


def test_generations_with_hbm():
    found = {name: memory_of(gpu) for name, gpu in catalog().gpus.items()}
    assert {name for name in found if name[:4] in ("A100", "H100", "H200", "B200", "V100", "P100")} <= {
        name for name, kind in found.items() if kind == "hbm"
    }
    streamed = {name: streamed_from(gpu) for name, gpu in catalog().gpus.items()}
    assert {streamed[name] for name in ("T4", "A10G", "L4", "L40S", "RTX PRO 6000")} == {"gddr_ecc"}
    assert (streamed["RTX 4090"], streamed["B200"], streamed["H100-80"]) == ("gddr", "hbm_blackwell", "hbm")
    assert {found[name] for name in ("T4", "A10G", "L4", "L40S", "RTX 4090", "RTX PRO 6000")} == {"gddr"}


def test_more_requests_wait_longer_and_cost_less():
    found = curve(plan_at(8))
    assert [one.concurrency for one in found][:5] == [1, 2, 4, 8, 16]
    for less, more in pairwise(found):
        assert more.latency_seconds.expected > less.latency_seconds.expected
        assert more.first_token_seconds.expected > less.first_token_seconds.expected
        assert more.requests_per_hour.expected > less.requests_per_hour.expected
    costs = [float(point["cost_per_1000_answers"]["expected"]) for point in curve_dicts(plan_at(8))]
    assert costs == sorted(costs, reverse=True)


def test_the_planned_load_is_a_point_of_the_curve():
    plan = plan_at(8)
    assert serving(plan).load in curve(plan)


def test_what_is_held_within_a_latency_is_the_largest_that_is():
    plan = plan_at(8)
    seconds = curve(plan)[3].latency_seconds.expected
    held = held_within(plan, seconds)
    assert (held.expected, held.seconds) == (8, seconds)
    assert held.sure < held.expected
    assert held_within(plan, seconds * 0.999).expected == 7
    assert held_within(plan, 0.01).to_dict()["concurrency"] == {"sure": 0, "expected": 0}
    assert held_within(plan, 1e6).sure == curve(plan)[-1].largest_concurrency


def test_without_an_answer_there_is_no_curve():
    plan = plan_at(8, typical_output_tokens=None)
    assert curve(plan) == []
    with pytest.raises(NotKnownError):
        held_within(plan, 10)
