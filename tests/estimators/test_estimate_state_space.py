"""State spaces beyond what traces say: rows that are not whole chunks, and what is not known."""

from __future__ import annotations

import pytest
from planned import LORA, planned, served

from hbspec.catalog import catalog
from hbspec.catalog.parameters import active_parameters, total_parameters
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.serving.endpoint import serving
from hbspec.estimators.step.blueprint import Blueprint
from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.kernels import kernels
from hbspec.estimators.step.moments import peak_moment
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.positions import program_at

SMALL = "ibm-granite/granite-4.0-h-350m"
SINGLE = {"parallelism": "single"}


def job(model=SMALL, **changes):
    return job_of(planned(model, instance=SINGLE, method=LORA, **changes))


def peak(found, tokens):
    whole = Stage(0, found.architecture.num_hidden_layers, embedding=True, head=True)
    return peak_moment(found, whole, tokens).total


def test_targets_are_named_where_peft_refuses_all_linear():
    plan = planned("tiiuae/Falcon-H1-3B-Instruct", instance=SINGLE, method=LORA)
    assert plan.training.target_modules[-3:] == ("gate_proj", "up_proj", "down_proj")
    assert "out_proj" not in plan.training.target_modules


@pytest.mark.parametrize(("tokens", "padding"), [(256, 0), (257, 192), (320, 192), (448, 64), (511, 0), (512, 0)])
def test_a_row_is_padded_to_whole_chunks_of_256_tokens(tokens, padding):
    assert program_at(job(), tokens).padding == padding


def test_only_the_state_space_computes_the_padding():
    found = job(gradient_checkpointing=False)
    assert peak(found, 1024) < peak(found, 1088) < 0.97 * peak(found, 1280)
    assert peak(found, 1025) == pytest.approx(peak(found, 1088), rel=1e-4)


def test_rows_of_a_micro_batch_are_padded_one_by_one():
    one, two = job(per_device_batch_size=1), job(per_device_batch_size=2)
    assert peak(two, 300) > 1.05 * peak(one, 600)


def test_chunks_launch_no_kernels_of_their_own():
    near, far = kernels(job(), 1024), kernels(job(), 2048)
    assert far[1].launches == near[1].launches


def test_no_block_of_any_length_is_negative():
    found = job(gradient_checkpointing=False)
    whole = Stage(0, found.architecture.num_hidden_layers, embedding=True, head=True)
    for tokens in (64, 100, 256, 300):
        assert min(Blueprint(found, whole).micro_batch(tokens, whole=True).sizes) >= 0


def test_the_speed_of_serving_is_not_known():
    found = serving(served(SMALL, instance={"type": "ml.g5.2xlarge"}, region="us-east-1"))
    assert found.verdict == "fits"
    assert found.load is None
    assert "carry states from token to token" in found.unknown["load"]


def test_memory_under_tensor_parallelism_is_not_known():
    ways = {"parallelism": "fsdp", "tensor_parallel": 2}
    with pytest.raises(NotKnownError, match="a state space under tensor parallelism"):
        job_of(planned(SMALL, instance=ways, method=LORA))


@pytest.mark.parametrize(
    ("model", "billions", "active"),
    [
        ("ibm-granite/granite-4.0-h-350m", 0.34, 0.34),
        ("ibm-granite/granite-4.0-h-1b", 1.46, 1.46),
        ("ibm-granite/granite-4.0-h-tiny", 6.94, 1.47),
        ("tiiuae/Falcon-H1-3B-Instruct", 3.15, 3.15),
        ("tiiuae/Falcon-H1-7B-Instruct", 7.59, 7.59),
    ],
)
def test_sizes_are_those_that_are_published(model, billions, active):
    architecture = catalog().models[model].architecture
    assert round(total_parameters(architecture) / 1e9, 2) == billions
    assert round(active_parameters(architecture) / 1e9, 2) == active
