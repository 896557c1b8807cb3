"""Layers whose heads differ beyond what traces say: what is not known, and which layers are alike."""

from __future__ import annotations

import pytest
from planned import LORA, planned, served

from hbspec.catalog import catalog
from hbspec.catalog.parameters import kv_cache_bytes_per_token, total_parameters
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.serving.endpoint import serving
from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.lifetimes.kinds import kinds

LARGE, SPARSE = "google/gemma-4-31B", "google/gemma-4-26B-A4B"
SINGLE = {"parallelism": "single"}


def job(model=LARGE, instance=SINGLE, **changes):
    return job_of(planned(model, instance=instance, method=LORA, **changes))


@pytest.mark.parametrize("model", [LARGE, "google/gemma-4-12B"])
def test_parameters_and_buffers_are_what_the_hub_reports(model):
    found = catalog().models[model]
    scalars = found.architecture.num_hidden_layers
    standardised = 2 * 1152 if model == LARGE else 0
    assert total_parameters(found.architecture) + scalars + standardised == found.reported_parameters


def test_keys_and_values_are_counted_layer_by_layer():
    near, far = 50 * 16 * 256, 10 * 4 * 512
    assert kv_cache_bytes_per_token(catalog().models[LARGE].architecture) == 2 * 2 * (near + far)


def test_layers_that_attend_to_everything_are_of_a_kind_of_their_own():
    found = job(SPARSE)
    wide = {index for index, kind in enumerate(found.architecture.layer_types) if kind == "full_attention"}
    told = kinds(found.architecture, found.program._replace(windowed=False)).of
    assert not {told[index] for index in wide} & {told[index] for index in range(30) if index not in wide}


def test_the_memory_of_serving_is_known_and_its_speed_is_not():
    found = serving(served(SPARSE, instance={"type": "ml.p5.48xlarge"}, region="us-east-1"))
    assert found.largest_context > 0
    assert found.decode_tokens_per_second is None
    assert "heads differ" in found.unknown["decode_tokens_per_second"]


def test_memory_under_tensor_parallelism_is_not_known():
    with pytest.raises(NotKnownError, match="tensor parallelism of layers whose heads differ"):
        job(instance={"parallelism": "fsdp", "tensor_parallel": 2})


def test_flash_attention_does_not_compute_heads_of_512_numbers():
    with pytest.raises(NotKnownError, match="flash attention over heads of 512 numbers"):
        job(attn_implementation="flash_attention_2")
