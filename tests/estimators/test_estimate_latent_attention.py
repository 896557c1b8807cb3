"""Latent attention beyond what traces say: published sizes, what an engine caches, and what is not known."""

from __future__ import annotations

import pytest
from planned import LORA, planned, served

from hbspec.catalog import catalog
from hbspec.catalog.parameters import active_parameters, kv_cache_bytes_per_token, total_parameters
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.serving.endpoint import serving
from hbspec.estimators.serving.memory import request_cache, served_weights, weights_bytes
from hbspec.estimators.step.job import job_of

SMALL, LARGE = "deepseek-ai/DeepSeek-V2-Lite", "deepseek-ai/DeepSeek-V3"
SINGLE = {"parallelism": "single"}


def job(model=SMALL, instance=SINGLE, **changes):
    return job_of(planned(model, instance=instance, method=LORA, **changes))


@pytest.mark.parametrize(
    ("model", "billions", "active"),
    [(LARGE, 671.0, 37.6), (SMALL, 15.7, 2.7), ("deepseek-ai/DeepSeek-V2.5", 235.7, 21.4)],
)
def test_sizes_are_those_that_are_published(model, billions, active):
    architecture = catalog().models[model].architecture
    assert round(total_parameters(architecture) / 1e9, 1) == billions
    assert round(active_parameters(architecture) / 1e9, 1) == active


def test_kimi_k2_is_counted_as_the_layers_that_it_has():
    architecture = catalog().models["moonshotai/Kimi-K2-Instruct"].architecture
    assert architecture.model_type == "deepseek_v3"
    assert round(total_parameters(architecture) / 1e12, 2) == 1.03
    assert round(active_parameters(architecture) / 1e9, 1) == 32.9


def test_an_engine_caches_the_latent_and_what_heads_share():
    assert kv_cache_bytes_per_token(catalog().models[LARGE].architecture) == 2 * 61 * (512 + 64)


def test_each_gpu_of_an_endpoint_caches_the_latent_and_its_speed_is_not_known():
    where = {"instance": {"type": "ml.p5.48xlarge"}, "region": "us-east-1"}
    alone, joined = (served(SMALL, **where, tensor_parallel=parts) for parts in (1, 8))
    assert request_cache(alone, 1000) == 1000 * 27 * 576 * 2
    assert request_cache(joined, 1000) == 8 * request_cache(alone, 1000)
    found = serving(alone)
    assert found.verdict == "fits"
    assert found.load is None
    assert "speed of serving latent attention" in found.unknown["load"]


def test_an_engine_keeps_what_it_multiplies_by_the_latent_twice():
    plan = served(SMALL, instance={"type": "ml.p5.48xlarge"}, region="us-east-1")
    folded = 2 * 27 * 512 * 16 * (128 + 128)
    assert served_weights(plan) == weights_bytes(plan.architecture, plan.quantization) + folded


def test_memory_under_tensor_parallelism_is_not_known():
    with pytest.raises(NotKnownError, match="latent attention under tensor parallelism"):
        job(instance={"parallelism": "fsdp", "tensor_parallel": 2})


def test_flash_attention_does_not_compute_values_narrower_than_queries():
    with pytest.raises(NotKnownError, match="flash attention over queries of 192 numbers and values of 128"):
        job(attn_implementation="flash_attention_2")
