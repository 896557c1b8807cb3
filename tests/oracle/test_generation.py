"""The bound of a generation's memory beside transformers' own `generate`."""

from __future__ import annotations

import pytest

from hbspec.catalog import Architecture, catalog
from hbspec.estimators.step.generating import generation_moments
from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.placement import Stage
from hbspec.plan import build_plan
from hbspec.spec import Spec
from oracle.agreement import spec_of
from oracle.case import parse
from oracle.rollouts import generation_peak

ABOVE = 0.08
"""How far above a trace the bound may be: most with eager attention, whose copies are not all there at once."""


def bound(case, rows, prompt, completion):
    """The largest moment of a generation of a spec that says what the case says, without the optimizer's states."""
    said, steps = spec_of(case), rows // case.batch
    said |= {"task": "grpo", "script": {"source_dir": ".", "entry_point": "train.py"}}
    said["data"] |= {"type": "prompt_only", "tokens": {"mean": prompt, "max": prompt}}
    said["hyperparameters"] |= {
        "num_generations": 2,
        "max_completion_length": completion,
        "steps_per_generation": steps,
    }
    said["hyperparameters"]["gradient_accumulation_steps"] = steps
    said["software"]["trainer"] = "trl"
    plan = build_plan(Spec.model_validate(said), catalog(), Architecture.from_config(case.values), None)
    job = job_of(plan)
    job = job._replace(program=job.program._replace(on_gpu=False), workspaces=0)
    whole = Stage(0, job.architecture.num_hidden_layers, embedding=True, head=True)
    found = generation_moments(job, whole, prompt + completion)
    return max(one.total - one.terms["optimizer_states"] for one in found)


CASES = (
    ("toy-llama,method=qlora,adapter_dtype=bfloat16,batch=4,loss=fused", 16, 256, 2),
    ("toy-llama,method=full,batch=8,loss=fused,layers=4", 256, 1, 6),
)
LONG = (
    ("toy-llama,method=full,batch=8,loss=fused,layers=8", 64, 1, 24),
    ("toy-llama,lora_dropout=0.0,batch=2,loss=fused", 16, 512, 4),
    ("toy-qwen2,method=full,weights_dtype=float32,batch=2,loss=fused", 64, 200, 20),
    ("toy-llama,method=full,batch=8,loss=fused,attention=eager", 64, 1, 40),
    ("toy-llama,method=full,batch=8,loss=fused", 1024, 4, 8),
    ("llama3.2-1b,batch=4,loss=fused", 32, 256, 8),
)


def holds(text, rows, prompt, completion):
    case = parse(text)
    traced = generation_peak(case, rows, prompt, completion)
    assert traced <= bound(case, rows, prompt, completion) <= (1 + ABOVE) * traced


@pytest.mark.parametrize(("text", "rows", "prompt", "completion"), CASES)
def test_a_generation_takes_no_more_than_is_counted(text, rows, prompt, completion):
    holds(text, rows, prompt, completion)


@pytest.mark.long
@pytest.mark.parametrize(("text", "rows", "prompt", "completion"), LONG)
def test_a_generation_of_another_shape_takes_no_more_than_is_counted(text, rows, prompt, completion):
    holds(text, rows, prompt, completion)
