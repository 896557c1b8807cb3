"""Estimates of models of unknown families lie around those of the same models where the family is known."""

from __future__ import annotations

from typing import Any

import pytest

from hbspec.catalog import catalog
from hbspec.catalog.bounds import bounds_of
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.job.cost import cost
from hbspec.estimators.job.host import host
from hbspec.estimators.job.storage import storage
from hbspec.estimators.job.time import time
from hbspec.estimators.training.memory import fullness, memory, memory_verdict
from hbspec.estimators.verdict import Verdict
from hbspec.plan import Plan, build_plan
from hbspec.plan.between import between, cautious
from hbspec.spec import Spec

SMALL, MIXTURE, RECURRENT = "Qwen/Qwen2.5-1.5B", "Qwen/Qwen3-30B-A3B", "state-spaces/mamba-2.8b-hf"
GPU = {"type": "ml.p4de.24xlarge", "region": "us-east-1"}


def _plans(model: str, instance: dict[str, Any] | None = None, **hyperparameters: Any) -> tuple[Plan, Plan]:
    """The plan of a model with its family, and without."""
    values = {"learning_rate": 1e-4, "per_device_batch_size": 2, "max_length": 1024, **hyperparameters}
    spec = Spec.model_validate(
        {
            "hbspec": 1,
            "name": "bounded",
            "model": {"id": model},
            "data": {"train": {"examples": 1000}, "tokens": {"mean": 300, "max": 900}},
            "hyperparameters": values,
            "instance": {**GPU, **(instance or {})},
        }
    )
    facts = catalog()
    found = bounds_of(facts.models.config(model))
    assert found is not None
    exact = build_plan(spec, facts, facts.models[model].architecture, None)
    plan = cautious(build_plan(spec, facts, None, None), found)
    return exact, plan._replace(between=between(spec, facts, found, None, None))


@pytest.mark.one_in(4)
@pytest.mark.parametrize("parallelism", ["single", "ddp", "fsdp", "zero3"])
@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
@pytest.mark.parametrize("model", [SMALL, MIXTURE, "google/gemma-2-2b"])
def test_the_exact_memory_lies_between(model: str, method: str, parallelism: str) -> None:
    exact, plan = _plans(model, {"parallelism": parallelism}, method=method)
    try:
        inside = memory(exact._replace(replayed=False)).fullest.process
    except NotKnownError:
        pytest.skip("not known of the model itself")
    around = memory(plan).fullest.process
    assert around.low <= inside.low
    assert inside.high <= around.high


@pytest.mark.parametrize("method", ["full", "lora"])
def test_time_host_disk_and_cost_lie_between(method: str) -> None:
    exact, plan = _plans(SMALL, {"parallelism": "ddp"}, method=method)
    inside, around = time(exact), time(plan)
    assert around.total_seconds.low <= inside.total_seconds.low
    assert inside.total_seconds.high <= around.total_seconds.high
    assert around.phases.keys() >= inside.phases.keys()
    assert cost(plan, around).low <= cost(exact, inside).expected <= cost(plan, around).high
    assert host(plan).memory.low <= host(exact).memory.expected <= host(plan).memory.high
    disks = [storage(one, volume=None, kept=1).needed for one in (exact, plan)]
    assert disks[1].low <= disks[0].expected <= disks[1].high


def test_it_fits_only_if_the_largest_does_and_fails_only_if_the_smallest_does() -> None:
    """The same job on GPUs around both ends of its bounds."""
    plan = _plans(SMALL, method="qlora")[1]
    process = memory(plan).fullest.process

    def on(usable: float) -> Plan:
        hardware = plan.require("hardware")
        smaller = hardware._replace(gpu=hardware.gpu._replace(usable_bytes=round(usable)))
        assert plan.between is not None
        plans = tuple(one._replace(hardware=smaller) for one in plan.between.plans)
        bounding = plan.between._replace(plans=plans)
        return plan._replace(hardware=smaller, between=bounding)

    assert memory_verdict(on(process.high * 1.01)) is Verdict.FITS
    assert fullness(on(process.high * 1.01)) < 1
    tight = memory(on(process.expected))
    assert tight.verdict is Verdict.TIGHT
    assert not tight.fullest.expected_to_fail
    failing = memory(on(process.low * 0.9))
    assert failing.verdict is Verdict.DOES_NOT_FIT
    assert failing.fullest.expected_to_fail


def test_the_speed_of_layers_with_a_state_is_not_known() -> None:
    plan = _plans(RECURRENT)[1]
    assert memory(plan).fullest.process.high > 0
    with pytest.raises(NotKnownError, match="the speed of mamba"):
        time(plan)


def test_a_measured_speed_is_taken_for_them_too() -> None:
    plan = _plans(RECURRENT)[1]
    assert plan.between is not None
    plans = tuple(one._replace(measured_tokens_per_second=1000.0) for one in plan.between.plans)
    bounding = plan.between._replace(plans=plans)
    measured = plan._replace(measured_tokens_per_second=1000.0, between=bounding)
    assert time(measured).tokens_per_second_per_gpu.expected == pytest.approx(1000.0)


def test_modules_whose_size_is_not_known_leave_the_memory_unknown() -> None:
    assert _plans(SMALL, modules_to_save=["lm_head"])[1].between is not None
    assert _plans(SMALL, modules_to_save=["backbone.mixer"])[1].between is None
    with pytest.raises(NotKnownError):
        memory(_plans(SMALL, modules_to_save=["backbone.mixer"])[1])


def test_dropout_is_left_out_where_peft_may_refuse_it() -> None:
    assert _plans(SMALL, method="lora")[1].training.lora_dropout > 0
    plan = _plans(MIXTURE, method="lora")[1]
    (chosen,) = (one for one in plan.assumptions if one.route == ("hyperparameters", "lora_dropout"))
    assert (plan.training.lora_dropout, chosen.value, chosen.differs) == (0.0, 0.0, True)
    assert _plans(MIXTURE, method="lora", lora_dropout=0.1)[1].training.lora_dropout == 0.1
