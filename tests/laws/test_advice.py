"""Laws of the advice: what is printed of a changed spec is what the changed spec is."""

from __future__ import annotations

import json

from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from hbspec.api import check, estimate
from hbspec.diagnostics import Severity
from hbspec.rules.follow import CLAIM_CONTRADICTED
from hbspec.search.advice import FIT, SHOWN
from hbspec.search.trial import WORTH_SAYING

MODELS = ["Qwen/Qwen2.5-0.5B", "Qwen/Qwen2.5-7B", "mistralai/Mixtral-8x7B-v0.1", "Qwen/Qwen2.5-72B"]
TYPES = ["ml.g4dn.xlarge", "ml.g5.2xlarge", "ml.g5.12xlarge", "ml.p4d.24xlarge"]
JOBS = st.fixed_dictionaries(
    {
        "model": st.sampled_from(MODELS),
        "type": st.sampled_from(TYPES),
        "price": st.sampled_from([None, "9 USD/h"]),
        "parallelism": st.sampled_from(["single", "pipeline", "ddp", "fsdp", "zero2"]),
        "count": st.sampled_from([1, 2]),
        "hyperparameters": st.fixed_dictionaries(
            {
                "method": st.sampled_from(["full", "lora", "qlora"]),
                "per_device_batch_size": st.sampled_from([1, 2, 3, 8]),
                "gradient_accumulation_steps": st.sampled_from([1, 6, 8]),
                "max_length": st.sampled_from([512, 4096]),
            },
            optional={
                "gradient_checkpointing": st.booleans(),
                "loss": st.sampled_from(["standard", "fused"]),
                "attn_implementation": st.sampled_from(["eager", "sdpa"]),
                "optim": st.sampled_from(["adamw_torch", "paged_adamw_8bit", "sgd"]),
                "packing": st.booleans(),
                "bnb_quant_type": st.sampled_from(["nf4", "int8"]),
            },
        ),
    }
)


def spec(job):
    """The spec of a job, as a mapping."""
    hyperparameters = {"learning_rate": 1e-4, "max_steps": 100, **job["hyperparameters"]}
    instance = {key: job[key] for key in ("type", "price", "parallelism", "count") if job[key] is not None}
    return {
        "hbspec": 1,
        "name": "law",
        "model": {"id": job["model"]},
        "data": {"train": {"examples": 2198}, "tokens": {"mean": 374, "max": 1400}},
        "instance": {**instance, "region": "us-east-1"},
        "hyperparameters": hyperparameters,
    }


def errors(values, overrides=()):
    return {entry.code for entry in check(values, overrides=overrides).diagnostics if entry.severity is Severity.ERROR}


@examples(20)
@given(JOBS)
def test_advice_is_what_the_changed_spec_is_never_worse_and_the_same_each_time(job):
    values = spec(job)
    now = estimate(values)
    assert now.advice is not None
    assert len(now.advice.outcomes) <= SHOWN
    holds_when_written(values, now)
    makes_nothing_worse(now)
    assert [outcome.to_dict() for outcome in now.advice.outcomes] == estimate(values).to_dict()["changes"]


def holds_when_written(values, now):
    """Each change, written into the spec, gives what was printed."""
    before = errors(values)
    for outcome in now.advice.outcomes:
        overrides = [f"{key}={json.dumps(value)}" for key, value in outcome.change.to_dict().items()]
        then = estimate(values, overrides=overrides)
        assert then.memory == outcome.memory
        assert then.time == outcome.burden.time
        assert then.cost == outcome.burden.cost
        assert then.plan.effective_batch_size == now.plan.effective_batch_size
        assert errors(values, overrides) <= {*before, CLAIM_CONTRADICTED}


def makes_nothing_worse(now):
    """A job that does not fit comes nearer to it; one that does still fits, and is cheaper, faster, or sees more."""
    advice = now.advice
    if advice.purpose == FIT:
        order = ("does_not_fit", "tight", "fits")
        assert all(order.index(outcome.memory.verdict) > order.index(now.memory.verdict) for outcome in advice.outcomes)
        return
    assert {outcome.memory.verdict for outcome in advice.outcomes} <= {"fits"}
    for outcome in advice.outcomes:
        if outcome.change.kind == "length":
            assert outcome.change.to_dict()["hyperparameters.max_length"] > now.plan.training.max_length
            continue
        cheaper = outcome.burden.amount <= (1 - WORTH_SAYING) * advice.now.burden.amount
        faster = outcome.burden.seconds <= (1 - WORTH_SAYING) * advice.now.burden.seconds
        assert cheaper or (faster and outcome.burden.amount <= advice.now.burden.amount)
