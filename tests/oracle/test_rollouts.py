"""The closed form of GRPO's scoring and of its step beside those of TRL's own trainer."""

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
from oracle.rollouts import PROMPT, rollouts_peaks

LIMIT = 0.01
QLORA = "method=qlora,adapter_dtype=bfloat16,lora_dropout=0.0"
FULL = "method=full"


def closed(case, beta, steps, *, old):
    """The largest moments of scoring (None without any) and of a step, of a spec that says what the case says."""
    said = spec_of(case)
    said |= {"task": "grpo", "script": {"source_dir": ".", "entry_point": "train.py"}}
    said["data"] |= {"type": "prompt_only", "tokens": {"mean": PROMPT, "max": PROMPT}}
    said["hyperparameters"] |= {
        "num_generations": 2,
        "max_completion_length": case.tokens - PROMPT,
        "beta": beta,
        "steps_per_generation": steps,
        "gradient_accumulation_steps": steps + old,
    }
    said["software"]["trainer"] = "trl"
    plan = build_plan(Spec.model_validate(said), catalog(), Architecture.from_config(case.values), None)
    job, rows = job_of(plan), case.batch > 1
    # the trace has no library, and begins where no gradient of an earlier micro-batch is
    program = job.program._replace(on_gpu=False, accumulates=False, padded=case.padding > 0, several_rows=rows)
    rollouts = job.training.rollouts._replace(within_updates=False)
    training = job.training._replace(gradient_accumulation=1, rollouts=rollouts)
    job = job._replace(program=program, training=training, workspaces=0)
    whole = Stage(0, job.architecture.num_hidden_layers, embedding=True, head=True)
    found = list(moments(job, whole, case.tokens))
    scoring = max((one.total for one in found if one.name == "scoring"), default=None)
    return scoring, max(one.total for one in found if one.name not in ("generation", "scoring"))


CASES = (
    (f"toy-llama,{QLORA},batch=4,padding=1,tokens=512,loss=fused", 0.04, 2, True),
    (f"toy-llama,{FULL},weights_dtype=float32,batch=2,padding=1,tokens=512,loss=fused", 0.04, 2, False),
)
LONG = (
    ("toy-llama,batch=2,padding=1,tokens=512,loss=fused,gradient_checkpointing=false", 0.0, 3, True),
    (f"toy-qwen2,{FULL},batch=2,padding=1,tokens=2048,layers=6,autocast=false,loss=fused", 0.04, 2, True),
    (f"toy-llama,{QLORA},batch=2,padding=1,tokens=512,loss=fused", 0.0, 2, False),
    ("llama3.2-1b,batch=4,padding=1,tokens=1024,loss=fused", 0.04, 4, True),
)


def agrees(text, beta, steps, *, old):
    case = parse(text)
    scoring, step = closed(case, beta, steps, old=old)
    traced = rollouts_peaks(case, beta=beta, steps=steps, old=old)
    assert step == pytest.approx(traced[1], rel=LIMIT)
    assert (scoring is None) == (not beta and not old)
    if scoring is not None:
        assert scoring == pytest.approx(traced[0], rel=LIMIT)


@pytest.mark.one_in(2)
@pytest.mark.parametrize(("text", "beta", "steps", "old"), CASES, ids=[f"{case[0]} beta={case[1]}" for case in CASES])
def test_scoring_and_a_step_take_what_the_trainer_s_own_take(text, beta, steps, old):
    agrees(text, beta, steps, old=old)


@pytest.mark.long
@pytest.mark.parametrize(("text", "beta", "steps", "old"), LONG, ids=[f"{case[0]} beta={case[1]}" for case in LONG])
def test_those_of_other_shapes_take_what_the_trainer_s_own_take(text, beta, steps, old):
    agrees(text, beta, steps, old=old)
