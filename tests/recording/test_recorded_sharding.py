"""Memory and time of a recorded model that several GPUs share: those of the same model as a family."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from oracle.case import parse

from hbspec.catalog import Architecture, catalog
from hbspec.catalog.recorded_file import architecture_of
from hbspec.estimators.job.time import time
from hbspec.estimators.training.memory import memory
from hbspec.plan import build_plan
from hbspec.plan.parallelism import PARALLELISMS
from hbspec.spec import Spec


def planned(architecture, parallelism, method, accumulation):
    values = {
        "hbspec": 1,
        "name": "shared",
        "model": {"id": "recorded"},
        "data": {"train": {"examples": 1000}, "tokens": {"mean": 300, "max": 900}},
        "instance": {"gpu": "A100-40", "gpus": 4, "parallelism": parallelism},
        "hyperparameters": {
            "method": method,
            "learning_rate": 1e-4,
            "max_steps": 10,
            "max_length": 1024,
            "per_device_batch_size": 2,
            "gradient_accumulation_steps": accumulation,
        },
    }
    return build_plan(Spec.model_validate(values), catalog(), architecture, None)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
@pytest.mark.parametrize("parallelism", PARALLELISMS)
def test_a_recorded_model_is_shared_as_the_family_is(parallelism, method, recorded_file):
    config = dict(parse("toy-llama").values)
    both = Architecture.from_config(config), architecture_of(recorded_file(config))
    for accumulation in (1, 4):
        family, recorded = (planned(one, parallelism, method, accumulation) for one in both)
        for known, found in zip(memory(family).devices, memory(recorded).devices, strict=True):
            assert found.peak_allocated == known.peak_allocated
            assert found.process.expected == pytest.approx(known.process.expected, rel=0.01)
        assert time(recorded).total_seconds.expected == pytest.approx(time(family).total_seconds.expected, rel=0.01)
