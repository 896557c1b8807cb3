"""The layout of caches with states, beside what vLLM's logs print."""

from __future__ import annotations

import pytest
from planned import served

from hbspec.catalog import catalog
from hbspec.estimators.serving.endpoint import serving
from hbspec.estimators.serving.memory import longest_served, request_cache
from hbspec.estimators.serving.pages import pages_of, state_bytes, windowed_pages

P5 = {"instance": {"type": "ml.p5.48xlarge"}, "region": "us-east-1"}
QWEN = "Qwen/Qwen3.6-27B"


def pages(model, parts=1, element=2):
    return pages_of(catalog().models[model].architecture, parts, element)


@pytest.mark.parametrize(
    ("model", "parts", "element", "block"),
    [
        ("Qwen/Qwen3.5-4B", 1, 2, 528),  # vllm-project/vllm issue 40696
        ("Qwen/Qwen3.5-9B", 1, 2, 528),  # docs.lmcache.ai/recipes/qwen3_5.html
        ("Qwen/Qwen3.5-0.8B", 1, 2, 544),  # likewise
        (QWEN, 1, 2, 784),  # likewise
        (QWEN, 2, 1, 1568),  # mitchross/talos-argocd-proxmox pull request 1995, a model of the same layers
    ],
)
def test_blocks_are_as_long_as_logs_say(model, parts, element, block):
    assert pages(model, parts, element).block == block


def test_a_page_is_padded_as_a_log_says():
    model = catalog().models[QWEN].architecture
    assert pages(QWEN).page / state_bytes(model, 1) - 1 == pytest.approx(0.0013, abs=0.00005)


def test_requests_that_fit_are_those_of_a_log():
    """vllm-project/vllm issue 40691: 371 blocks of each of four groups hold 33.04 requests of 32,768 tokens."""
    found = pages(QWEN)
    assert (found.together, found.growing, found.fixed) == (16, 1, 3)
    each = found.request_bytes(32_768) / (found.together * found.page)
    assert 4 * 371 / each < 33.04 < 4 * 372 / each


@pytest.mark.parametrize(
    ("model", "groups"),
    [
        ("LiquidAI/LFM2-1.2B", (6, 1, 2)),
        ("LiquidAI/LFM2-2.6B", (8, 1, 3)),
        ("tiiuae/Falcon-H1-7B-Instruct", (44, 1, 1)),
        ("ibm-granite/granite-4.0-h-tiny", (4, 1, 9)),
        ("Qwen/Qwen3-Next-80B-A3B-Instruct", (12, 1, 3)),
    ],
)
def test_layers_are_grouped_by_the_rarer_kind(model, groups):
    found = pages(model)
    assert (found.together, found.growing, found.fixed) == groups


@pytest.mark.parametrize("parts", [1, 2, 8])
def test_the_longest_request_is_the_largest_that_fits(parts):
    plan = served(QWEN, **P5, tensor_parallel=parts)
    room = 20e9
    longest = longest_served(plan, room)
    assert request_cache(plan, longest) <= room < request_cache(plan, longest + 1)
    assert longest_served(plan, request_cache(plan, 0) - 1) == 0


def test_an_endpoint_of_such_a_model_has_memory_and_no_speed():
    found = serving(served(QWEN, **P5, tensor_parallel=2, max_model_len=32_768))
    assert found.verdict == "fits"
    assert found.room.longest > 10
    assert (found.load, found.first_token_seconds, found.cache_tokens) == (None, None, None)


GEMMA = "google/gemma-4-31B"


def test_heads_that_differ_share_pages_as_a_log_says():
    """Gemma 4 31B on an A100 of 80 GB: about 525,000 tokens in about 50 GB (vllm-project/vllm issue 43308, 0.21.0)."""
    layout = windowed_pages(catalog().models[GEMMA].architecture, 1, scheduled=2048)
    assert (layout.block, layout.near, layout.together, layout.growing, layout.windowed) == (32, 16, 10, 1, 5)
    longest = 262_144
    assert 50e9 / layout.request_bytes(longest) * longest == pytest.approx(525_000, rel=0.05)


def test_a_window_stops_growing_and_heads_are_copied():
    model = catalog().models[GEMMA].architecture
    layout = windowed_pages(model, 1)
    assert layout.request_bytes(4096) - layout.request_bytes(2048) == 2 * 2 * 10 * 4 * 512 * 2048
    eight, sixteen = (windowed_pages(model, parts).request_bytes(100_000) for parts in (8, 16))
    assert eight > sixteen > eight / 2


def test_the_longest_request_is_the_last_that_fits():
    layout = windowed_pages(catalog().models[GEMMA].architecture, 1, scheduled=2048)
    for room in (0, 1e8, 3e9, 20e9):
        longest = layout.longest(room)
        assert longest == 0 or layout.request_bytes(longest) <= room
        assert layout.request_bytes(longest + 1) > room
