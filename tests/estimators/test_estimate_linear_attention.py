"""Linear attention beyond what traces say: rows that are no whole chunks, launches, and what is not known."""

from __future__ import annotations

import pytest
from planned import LORA, planned, served

from hbspec.catalog import catalog
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.serving.endpoint import serving
from hbspec.estimators.step.blueprint import Blueprint
from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.kernels import kernels
from hbspec.estimators.step.moments import peak_moment
from hbspec.estimators.step.placement import Stage

SMALL = "Qwen/Qwen3.5-0.8B"
SINGLE = {"parallelism": "single"}


def job(model=SMALL, **changes):
    return job_of(planned(model, instance=SINGLE, method=LORA, **changes))


def peak(found, tokens):
    whole = Stage(0, found.architecture.num_hidden_layers, embedding=True, head=True)
    return peak_moment(found, whole, tokens).total


def test_a_row_counts_as_whole_chunks_of_64_tokens():
    found = job(gradient_checkpointing=False)
    assert peak(found, 961) == pytest.approx(peak(found, 1024), rel=1e-3)
    assert peak(found, 960) < 0.97 * peak(found, 961)


def test_a_chunk_of_a_row_launches_kernels_of_its_own():
    found = job()
    near, far = kernels(found, 1024), kernels(found, 2048)
    attends = job("Qwen/Qwen3-0.6B")
    assert far[1].launches > 1.6 * near[1].launches
    assert kernels(attends, 1024)[1].launches == kernels(attends, 2048)[1].launches


def test_the_way_back_writes_gradients_of_the_whole_row_for_every_chunk():
    near, far = kernels(job(), 4096), kernels(job(), 8192)
    assert far[1].written > 3 * near[1].written
    assert far[0].written < 2.1 * near[0].written


def test_a_row_of_fewer_chunks_than_are_run_asks_for_no_negative_block():
    found = job(gradient_checkpointing=False)
    whole = Stage(0, found.architecture.num_hidden_layers, embedding=True, head=True)
    assert min(Blueprint(found, whole).micro_batch(64, whole=True).sizes) >= 0
    assert peak(found, 64) < peak(found, 128) < peak(found, 192)


def test_the_speed_of_serving_is_not_known():
    found = serving(served(SMALL, instance={"type": "ml.g5.2xlarge"}, region="us-east-1"))
    assert found.load is None
    assert "carry states from token to token" in found.unknown["load"]


def test_memory_under_tensor_parallelism_is_not_known():
    ways = {"parallelism": "fsdp", "tensor_parallel": 2}
    with pytest.raises(NotKnownError, match="linear attention under tensor parallelism"):
        job_of(planned(SMALL, instance=ways, method=LORA))


def test_every_published_size_is_counted():
    models = catalog().models
    sizes = {name: models[name].architecture for name in models.originals() if name.startswith("Qwen/Qwen3.")}
    assert {name for name, found in sizes.items() if found is None} == set()
