"""What GPUs that share a model send each other while it answers: Qwen2.5-32B's hidden states on four GPUs of a host."""

from __future__ import annotations

import pytest
from planned import served

from hbspec.estimators.serving.constants import SERVED
from hbspec.estimators.serving.decoding import step_of
from hbspec.estimators.serving.prefill import (
    first_token_seconds,
    prefill_seconds,
    prompt_seconds,
    reached_share,
    token_seconds,
)
from hbspec.estimators.serving.summing import HALF_SPEED, summed_over_pcie
from hbspec.estimators.step.communication import link, ring_bytes
from hbspec.units import Interval

FOUR = {"instance": {"type": "ml.g5.12xlarge"}, "tensor_parallel": 4}


def test_sums_over_pcie_take_as_long_as_links_say():
    """Beyond what moves at half of the speed, each byte takes as long as of the largest messages."""
    plan = served(**FOUR)
    sent = 2 * 64 * (2 * ring_bytes(1000 * 5120 * 2, 4) + HALF_SPEED)
    assert summed_over_pcie(plan, 1000) == link(plan.hardware, 4).seconds(sent, collectives=0)


def test_they_are_part_of_a_step_and_of_prefill():
    plan = served(**FOUR)
    step = step_of(plan, 1000, 4)
    alone = step._replace(over_pcie=Interval.exact(0.0)).interval()
    assert step.interval() == alone + summed_over_pcie(plan, 4)
    assert prefill_seconds(plan, 1000).low > summed_over_pcie(plan, 1000).low > 0


def test_prompts_of_the_others_are_summed_too_while_a_request_is_answered():
    """Nine others bring a prompt of 1,000 tokens each in 500 steps; cached prompts are not read again."""
    plan = served(**FOUR)
    alone = step_of(plan, 1250, 10).interval()
    summed = summed_over_pcie(plan, 1000) * (9 / 500)
    products = prompt_seconds(plan, 1000, 9) / reached_share(plan) / 500
    assert token_seconds(plan, 1000, 500, 10).expected == pytest.approx(alone.expected + products + summed.expected)
    assert token_seconds(plan, 1000, 500, 10).low > alone.low + summed.low
    assert token_seconds(plan, 1000, 500, 10, cached=True) == alone


def test_a_first_token_waits_for_the_sums_of_its_own_prompt_once_and_for_those_of_others():
    plan = served(**FOUR)
    lone, many = (first_token_seconds(plan, 1000, requests) for requests in (1, 10))
    rest = SERVED.floor + prefill_seconds(plan, 1000).expected - summed_over_pcie(plan, 1000).expected
    assert lone.expected == pytest.approx(rest + summed_over_pcie(plan, 1000).expected)
    waited = summed_over_pcie(plan, 10).low * SERVED.waiting * 9 / 10
    assert many.low > summed_over_pcie(plan, 1009).low + waited
    assert many.high > 10 * summed_over_pcie(plan, 1000).high, "all prompts may be read first"


def test_over_nvlink_they_are_fitted_and_one_gpu_has_none():
    assert summed_over_pcie(served(instance={"type": "ml.p4d.24xlarge"}, tensor_parallel=4), 1000).high == 0
    assert summed_over_pcie(served(instance={"type": "ml.g5.2xlarge"}), 1000).high == 0


def test_cards_that_were_measured_are_as_fast_as_measured():
    """Four L40S sum at 4.8 GB/s (`hbspec.catalog.links`), so small sums at half of it: 2 x 3/4 of 64 KiB, twice a
    layer, for eight requests."""
    plan = served("meta-llama/Llama-3.1-8B", instance={"type": "ml.g6e.12xlarge"}, tensor_parallel=4)
    found = summed_over_pcie(plan, 8)
    assert found.expected == pytest.approx(2 * 32 * 2 * 0.75 * 8 * 4096 * 2 / 2.4e9)
    assert found.low < found.expected < found.high


def test_cards_that_do_not_reach_each_other_are_expected_at_the_slow_end():
    """GeForce cards go through the host's memory."""
    plan = served(instance={"gpu": "RTX 4090", "gpus": 4}, tensor_parallel=4)
    found = summed_over_pcie(plan, 8)
    assert found.low < found.expected == found.high


def test_eight_of_them_are_found_in_servers_and_expected_in_the_middle():
    """Eight RTX 4090 without access to each other sum 14.45 to 15.04 GB/s (nccl-tests), eight L40S 1.2 to 1.8."""
    plan = served(instance={"gpu": "RTX 4090", "gpus": 8}, tensor_parallel=8)
    found = summed_over_pcie(plan, 8)
    assert found.low * 15.04 / 21 < found.expected < found.high / 3
