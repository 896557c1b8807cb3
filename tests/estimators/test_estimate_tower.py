"""A tower beside a language model: loaded, frozen, and not gone through by text."""

from __future__ import annotations

import pytest

from hbspec.catalog import catalog
from hbspec.catalog.parameters import language_parameters, lora_parameters, total_parameters
from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.resident import loaded_tensors
from hbspec.estimators.step.states import states_of
from hbspec.estimators.weights import serving_weights, tower_bytes
from hbspec.plan import build_plan
from hbspec.spec import Spec

GEMMA = catalog().models["google/gemma-3-4b-it"].architecture
ALONE = GEMMA._replace(tower=())


def planned(architecture=GEMMA, method="lora", parallelism="single", **software):
    values = {
        "hbspec": 1,
        "name": "tower",
        "model": {"id": "google/gemma-3-4b-it"},
        "data": {"train": {"examples": 100}, "tokens": {"mean": 700, "max": 1024}},
        "instance": {"gpu": "A100-80", "gpus": 1 if parallelism == "single" else 4, "parallelism": parallelism},
        "hyperparameters": {
            "method": method, "learning_rate": 1e-4, "max_steps": 10, "per_device_batch_size": 1, "max_length": 1024
        },
        "software": software,
    }  # fmt: skip
    return build_plan(Spec.model_validate(values), catalog(), architecture, None)


def weights_of(plan):
    job = job_of(plan)
    return states_of(job, Stage(0, job.architecture.num_hidden_layers, embedding=True, head=True)).weights


def test_it_is_there_and_not_trained():
    plan = planned(method="full")
    assert plan.trainable_parameters == language_parameters(GEMMA) == total_parameters(ALONE)
    assert planned().trainable_parameters == lora_parameters(ALONE, 16, "all-linear")
    assert [one.value for one in plan.assumptions if one.route == ("model", "tower")] == ["frozen"]
    assert [one for one in planned(ALONE).assumptions if one.route == ("model", "tower")] == []


@pytest.mark.parametrize("method", ["lora", "qlora", "full"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_the_tensors_that_are_loaded_are_the_weights(method, dtype):
    job = job_of(planned(method=method, weights_dtype=dtype))
    whole = Stage(0, GEMMA.num_hidden_layers, embedding=True, head=True)
    assert sum(sum(one.kept) for one in loaded_tensors(job, whole)) == sum(job.weights.values())


def test_ranks_cut_it_and_do_not_gather_it():
    with_it, without = (weights_of(planned(one, parallelism="fsdp")) for one in (GEMMA, ALONE))
    assert sum(with_it.values()) - sum(without.values()) == tower_bytes(GEMMA) // 4


def test_it_is_served_in_16_bits():
    for quantization in ("none", "nf4", "fp8"):
        with_it, without = (sum(serving_weights(one, quantization).values()) for one in (GEMMA, ALONE))
        assert with_it - without == tower_bytes(GEMMA) == 2 * (total_parameters(GEMMA) - language_parameters(GEMMA))
