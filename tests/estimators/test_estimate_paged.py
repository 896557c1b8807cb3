"""Paged optimizer states: not allocated, on the host where the GPU is full, and slow there."""

from __future__ import annotations

import pytest
from planned import planned

from hbspec.api import check, estimate
from hbspec.estimators.step.optimizer import PAGED_NUMBERS
from hbspec.estimators.step.replay import History
from hbspec.estimators.training.memory import memory_verdict
from hbspec.estimators.verdict import Verdict


def spec(optim, *, gpu="A100-40", method="full", **hyperparameters):
    """A 7B on one GPU."""
    return {
        "hbspec": 1,
        "name": "paged",
        "model": {"id": "Qwen/Qwen2.5-7B"},
        "data": {"train": {"examples": 1000}, "tokens": {"mean": 400, "max": 700}},
        "instance": {"gpu": gpu, "gpus": 1, "host_memory": "200 GB"},
        "hyperparameters": {
            "method": method,
            "learning_rate": 1e-5,
            "per_device_batch_size": 1,
            "max_length": 704,
            "optim": optim,
            **hyperparameters,
        },
    }


def fullest(given):
    return estimate(given).memory.fullest


@pytest.mark.parametrize("bits", ["32bit", "8bit"])
def test_they_are_not_allocated(bits):
    parameters = 7_615_616_512
    found, per_parameter = fullest(spec(f"paged_adamw_{bits}")), {"32bit": 8, "8bit": 2}[bits]
    assert 0.999 * per_parameter * parameters < found.paged <= per_parameter * parameters
    assert found.terms["optimizer_states"] < 0.02 * found.paged  # scales, and states of norms and biases


def test_only_they_exceed_and_the_job_runs_slower():
    paged, there = estimate(spec("paged_adamw_8bit")), estimate(spec("adamw_bnb_8bit"))
    assert there.memory.verdict is Verdict.DOES_NOT_FIT
    assert paged.memory.verdict is Verdict.TIGHT
    assert paged.memory.fullest.process.expected == paged.memory.fullest.usable
    assert paged.time.step_seconds.expected > there.time.step_seconds.expected
    assert paged.host.terms["paged_optimizer"].expected == paged.memory.fullest.paged_out.expected > 3e9
    (found,) = [one for one in check(spec("paged_adamw_8bit")).diagnostics if one.code == "HB109"]
    assert "of the 15.2 GB of paged optimizer states exceed the 42.3 GB usable" in found.message


def test_where_there_is_room_nothing_moves():
    roomy, there = (estimate(spec(optim, gpu="A100-80")) for optim in ("paged_adamw_8bit", "adamw_bnb_8bit"))
    assert roomy.memory.verdict is Verdict.FITS
    (pages,), (held,) = (each.memory.devices for each in (roomy, there))
    assert pages.peak_allocated.expected + pages.paged == pytest.approx(held.peak_allocated.expected, rel=1e-3)
    assert roomy.time == there.time
    assert "paged_optimizer" not in roomy.host.terms


def test_what_exceeds_without_them_does_not_fit():
    assert estimate(spec("paged_adamw_32bit", gpu="A10G")).memory.verdict is Verdict.DOES_NOT_FIT


def test_tensors_of_small_adapters_stay():
    hidden, layers = 3584, 28
    small = {"method": "qlora", "target_modules": ["q_proj"], "gpu": "A10G"}
    assert fullest(spec("paged_adamw_32bit", lora_r=PAGED_NUMBERS // hidden, **small)).paged == 0
    rank = PAGED_NUMBERS // hidden + 1
    assert fullest(spec("paged_adamw_32bit", lora_r=rank, **small)).paged == 8 * 2 * rank * hidden * layers


def test_ample_room_is_seen_without_a_replay(monkeypatch):
    monkeypatch.setattr(History, "reserve", None)
    plan = planned("Qwen/Qwen2.5-0.5B", instance={"parallelism": "ddp"}, optim="paged_adamw_8bit")
    assert memory_verdict(plan) is Verdict.FITS
