"""Adapters that training goes on from are kept beside those that are trained, where they are the reference."""

from __future__ import annotations

import pytest

from hbspec.api import estimate
from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.states import states_of
from hbspec.plan.objective import COPIED, SWITCHED

SPEC = {
    "hbspec": 1,
    "name": "pairs",
    "task": "dpo",
    "model": {"id": "Qwen/Qwen2.5-7B-Instruct", "adapter": "someone/adapters"},
    "data": {"type": "preference", "train": {"examples": 960}, "tokens": {"mean": 300, "max": 600}},
    "instance": {"gpu": "A100-80", "gpus": 1},
    "hyperparameters": {
        "method": "qlora", "learning_rate": 1e-5, "max_steps": 10, "per_device_batch_size": 2,
        "max_length": 1024, "lora_r": 16,
    },
}  # fmt: skip
KTO = ("task=kto", "data.type=unpaired_preference")
SFT = ("task=sft", "data.type=prompt_completion")


def plan_of(*changed):
    return estimate(SPEC, overrides=changed).plan


def beside(plan):
    job = job_of(plan)
    whole = Stage(0, job.architecture.num_hidden_layers, embedding=True, head=True)
    return states_of(job, whole).weights.get("reference_weights", 0)


@pytest.mark.parametrize("changed", [(), KTO, ("hyperparameters.precompute_ref_log_probs=true",)])
def test_a_copy_in_float32_is_kept(changed):
    plan = plan_of(*changed)
    assert COPIED in (plan.training.objective.reference, plan.training.objective.precomputes)
    assert plan.training.adapter_dtype == "bfloat16"
    assert beside(plan) == 4 * plan.trainable_parameters


def test_new_adapters_and_other_tasks_need_none():
    new = plan_of("model.adapter=null")
    assert new.training.objective.reference == SWITCHED
    assert beside(new) == beside(plan_of(*SFT)) == 0


def test_other_frameworks_switch_them_off():
    assert not plan_of("software.trainer=llamafactory").training.objective.copies


def test_grpo_copies_them_where_it_compares():
    prompts = ("task=grpo", "data.type=prompt_only")
    assert not plan_of(*prompts).training.objective.copies
    assert plan_of(*prompts, "hyperparameters.beta=0.04").training.objective.copies
