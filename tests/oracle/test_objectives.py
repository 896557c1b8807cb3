"""The closed form of preference and reward training beside a step of TRL's own trainers."""

from __future__ import annotations

import pytest

from hbspec.catalog import Architecture, catalog
from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.moments import moments
from hbspec.estimators.step.placement import Stage
from hbspec.plan import build_plan
from hbspec.spec import Spec
from oracle.agreement import spec_of
from oracle.case import parse
from oracle.objectives import objective_peak

LIMIT = 0.01
QLORA = "method=qlora,adapter_dtype=bfloat16,lora_dropout=0.0"
LORA, FULL = "lora_dropout=0.0", "method=full"
LONG = "tokens=2048,layers=6"
ROWS = {"dpo": 2, "kto": 1, "reward": 2}


def closed(task, case, *, copied=False):
    """The largest moment of a step of a spec that says what the case says; its batch is in rows."""
    said = spec_of(case)
    said["task"] = task
    said["model"] |= {"adapter": "someone/adapters"} if copied else {}
    said["software"]["trainer"] = "trl"
    said["hyperparameters"]["per_device_batch_size"] = case.batch // ROWS[task]
    plan = build_plan(Spec.model_validate(said), catalog(), Architecture.from_config(case.values), None)
    job = job_of(plan)
    job = job._replace(program=job.program._replace(on_gpu=False), workspaces=0)
    whole = Stage(0, job.architecture.num_hidden_layers, embedding=True, head=True)
    return max(moments(job, whole, case.tokens), key=lambda moment: moment.total)


CASES = (
    ("dpo", f"toy-llama,{QLORA},batch=4,padding=1,tokens=512,loss=fused", "loss"),
    ("dpo", f"toy-llama,{LORA},batch=2,padding=1,tokens=512,loss=fused,gradient_checkpointing=false", "loss"),
    ("dpo", f"toy-qwen2,{FULL},batch=2,padding=1,{LONG},autocast=false,loss=fused", "loss"),
    ("dpo", f"toy-llama,{FULL},weights_dtype=float32,batch=2,padding=1,tokens=512,loss=fused", "reference"),
    ("kto", f"toy-llama,{QLORA},batch=2,padding=1,tokens=512,loss=fused", "loss"),
    ("kto", f"toy-qwen2,{FULL},batch=4,padding=1,tokens=512,loss=fused", "loss"),
    ("reward", f"toy-llama,{QLORA},batch=4,padding=1,tokens=512", "recompute"),
    ("reward", f"toy-llama,{FULL},batch=2,padding=1,{LONG},autocast=false", "recompute"),
)
REAL = ("dpo", f"llama3.2-1b,{LORA},batch=2,padding=1,tokens=1024,loss=fused", "recompute")


def agrees(task, text, at, *, copied=False):
    case = parse(text)
    found = closed(task, case, copied=copied)
    second = task in ("dpo", "kto") and not case.adapters
    traced = objective_peak(task, case, second=second, copied=copied)
    assert found.total == pytest.approx(traced, rel=LIMIT), (found.name, found.terms)
    assert found.name == at


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("task", "text", "at"), CASES, ids=[f"{task} {text}" for task, text, _ in CASES])
def test_a_step_takes_what_the_trainer_s_own_takes(task, text, at):
    agrees(task, text, at)


COPIES = (
    ("kto", f"toy-llama,{LORA},batch=2,padding=1,tokens=512,loss=fused,gradient_checkpointing=false", "loss"),
    ("dpo", f"toy-llama,{QLORA},batch=4,padding=1,tokens=512,loss=fused", "loss"),
)


@pytest.mark.one_in(2)
@pytest.mark.parametrize(("task", "text", "at"), COPIES, ids=[f"{task} {text}" for task, text, _ in COPIES])
def test_a_copy_of_the_adapters_is_kept(task, text, at):
    agrees(task, text, at, copied=True)


@pytest.mark.long
def test_a_step_of_a_real_shape_takes_what_the_trainer_s_own_takes():
    agrees(*REAL)
