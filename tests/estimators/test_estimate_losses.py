"""Bytes that losses hold for each logit at their peak, by what transformers and accelerate do in a version."""

from __future__ import annotations

from typing import Any

import pytest
from estimators.planned import planned

from hbspec.catalog import Architecture, catalog
from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.lifetimes.kinds import program_profile
from hbspec.estimators.training.memory import memory, memory_verdict
from hbspec.plan import Plan

MODEL = "mistralai/Mistral-7B-v0.3"


def plan_of(loss: str, transformers: str, *, autocast: bool, **software: Any) -> Plan:
    sections = {"software": {"trainer": "transformers", "transformers": transformers, "autocast": autocast, **software}}
    instance = {"parallelism": "single", "type": "ml.p4d.24xlarge"}
    return planned(MODEL, method={"method": "lora", "lora_r": 16}, instance=instance, sections=sections, loss=loss)


def logit_bytes(plan: Plan) -> int:
    """Bytes at the largest moment of the loss, forward or back, that grow with the vocabulary."""
    job = job_of(plan)

    def at_peak(architecture: Architecture) -> int:
        run = program_profile(architecture, job.program)
        return max(peak.total.per_token for peak in (*run.loss, *run.loss_backward))

    model = catalog().models[MODEL].architecture
    return (at_peak(model._replace(vocab_size=2 * model.vocab_size)) - at_peak(model)) // model.vocab_size


@pytest.mark.parametrize(
    ("transformers", "loss", "plain", "autocast"),
    [
        # `modeling_llama.py` 4.45.2: fp32 logits in place of the others, a shifted copy, its logarithms
        ("4.45.2", "standard", 12, 12),
        ("4.45.2", "in_place", 8, 8),
        ("4.45.2", "in_place_shifted", 8, 8),
        # `loss/loss_utils.py` 4.48.1: the logits, fp32 ones, a shifted copy, its logarithms
        ("4.48.1", "standard", 14, 14),
        ("4.48.1", "in_place", 10, 10),
        ("4.48.1", "in_place_shifted", 10, 10),
        # 5.23.0: labels are shifted, so that logarithms and two gradients on the way back are the most; under autocast
        # accelerate makes fp32 of the logits that are returned
        ("5.23.0", "standard", 12, 12),
        ("5.23.0", "in_place", 6, 10),
        ("5.23.0", "in_place_shifted", 10, 10),
    ],
)
def test_bytes_of_a_logit(transformers: str, loss: str, plain: int, autocast: int) -> None:
    assert logit_bytes(plan_of(loss, transformers, autocast=False)) == plain
    assert logit_bytes(plan_of(loss, transformers, autocast=True)) == autocast


def test_a_loop_holds_the_logits_that_the_model_returned() -> None:
    # 16-bit logits beside the gradient, as large as its logits in fp32, and the narrow one
    loops = (
        logit_bytes(plan_of("in_place", "5.23.0", autocast=False, trainer=name)) for name in ("loop", "transformers")
    )
    assert [*loops] == [8, 6]


def test_a_process_whose_loss_is_in_place_may_take_as_much_as_with_the_usual_one():
    """As IBM's runs did (fms-acceleration, a100_80gb.csv), though their tensors were fewer."""
    usual, in_place = (
        memory(plan_of(loss, "4.48.1", autocast=True)).fullest for loss in ("standard", "in_place_shifted")
    )
    assert in_place.peak_allocated.expected < usual.peak_allocated.expected
    assert in_place.process.low < usual.process.low
    assert in_place.process.high == usual.process.high
    assert memory_verdict(plan_of("in_place_shifted", "4.48.1", autocast=True)) is in_place.verdict
