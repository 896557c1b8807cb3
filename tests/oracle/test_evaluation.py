"""The moments of an evaluation beside the real model's forward pass without gradients."""

from __future__ import annotations

import pytest

from hbspec.estimators.step.evaluation import evaluated_job, evaluation_moments
from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.placement import Stage
from oracle.agreement import LIMIT, plan_of
from oracle.case import parse
from oracle.step import traced_evaluation

CASES = (
    "toy-qwen2,tokens=2048",
    "toy-qwen2,batch=4,padding=100",
    "toy-qwen2,method=full,autocast=false,tokens=2048",
    "toy-qwen2,method=full,weights_dtype=float32",
    "toy-llama,method=qlora,tokens=2048,adapter_dtype=bfloat16,loss=fused",
    "toy-llama,method=qlora,batch=8,tokens=512,padding=100,attention=eager",
    "toy-gemma3,layers=6,batch=2,padding=100,gradient_checkpointing=false",
    "toy-qwen3-moe,batch=2,padding=100,lora_dropout=0.0",
    "toy-qwen2,method=qlora,quantization=int8,batch=2,padding=100",
    "toy-qwen2,use_dora=true,batch=2,padding=100",
)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("text", CASES)
def test_an_evaluation_takes_what_the_real_model_takes(text):
    case = parse(text)
    plan = plan_of(case)
    job = job_of(plan._replace(training=plan.training._replace(eval_batch=case.batch)))
    job = evaluated_job(job._replace(program=job.program._replace(on_gpu=False), workspaces=0))
    whole = Stage(0, job.architecture.num_hidden_layers, embedding=True, head=True)
    found = max(moment.total for moment in evaluation_moments(job, whole, case.tokens))
    assert found == pytest.approx(traced_evaluation(case), rel=LIMIT)
