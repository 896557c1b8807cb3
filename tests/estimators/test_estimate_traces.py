"""Peaks of real transformers + peft models under fake tensors, against the closed form.

Traced with torch 2.13.0, transformers 5.23.0, peft 0.21.2, bitsandbytes 0.50.2 on the CPU: one micro-batch of one row,
AdamW states allocated, no autocast, no k-bit preparation, rank 16 on all linear modules, dropout 0.05, sdpa. GiB.
"""

from __future__ import annotations

import pytest
from planned import FULL, LORA, QLORA, R1, planned

from hbspec.estimators.precision import Precision
from hbspec.estimators.step.job import job_of, program_of
from hbspec.estimators.step.moments import peak_moment
from hbspec.estimators.step.placement import Stage
from hbspec.units import GIB

METHODS = {"lora": LORA, "qlora": QLORA, "full": FULL}
SMALL, SEVEN = "Qwen/Qwen2.5-0.5B", "Qwen/Qwen2.5-7B"

TRACES = [
    # model, method, bytes of a trained number, tokens, checkpointing, loss, GiB
    (R1, "lora", 4, 1024, True, "standard", 64.913),
    (R1, "lora", 2, 1024, True, "standard", 64.163),
    (R1, "qlora", 4, 1024, True, "standard", 21.781),
    (R1, "qlora", 2, 1024, True, "standard", 21.031),
    (R1, "lora", 4, 4096, True, "standard", 72.069),
    (R1, "lora", 2, 4096, True, "standard", 71.319),
    (R1, "qlora", 4, 4096, True, "standard", 28.937),
    (R1, "qlora", 2, 4096, True, "standard", 28.187),
    (R1, "lora", 4, 1024, False, "standard", 96.229),
    (R1, "lora", 2, 1024, False, "standard", 88.340),
    (R1, "qlora", 4, 1024, False, "standard", 53.097),
    (R1, "qlora", 2, 1024, False, "standard", 45.208),
    (R1, "lora", 4, 4096, False, "standard", 197.332),
    (R1, "lora", 2, 4096, False, "standard", 168.028),
    (R1, "qlora", 4, 4096, False, "standard", 154.200),
    (R1, "qlora", 2, 4096, False, "standard", 124.895),
    (R1, "qlora", 2, 4096, True, "fused", 23.109),
    (R1, "qlora", 2, 1024, True, "fused", 19.960),
    (R1, "lora", 4, 4096, True, "fused", 67.934),
    (SEVEN, "qlora", 2, 4096, True, "fused", 7.510),
    (SMALL, "full", 2, 1024, True, "standard", 4.548),
    (SMALL, "full", 2, 4096, True, "standard", 9.908),
    (SMALL, "full", 2, 1024, False, "standard", 5.820),
    (SMALL, "full", 2, 4096, False, "standard", 15.000),
    (SEVEN, "full", 2, 1024, True, "standard", 56.748),
    (SEVEN, "full", 2, 4096, True, "standard", 56.768),
    (SEVEN, "full", 2, 1024, False, "standard", 56.748),
    (SEVEN, "full", 2, 4096, False, "standard", 73.703),
]


def traced_job(model, method, trained, tokens, checkpointing, loss, *, precision=None, **changes):
    plan = planned(
        model,
        instance={"parallelism": "single"},
        tokens=(tokens, tokens),
        method=METHODS[method],
        gradient_accumulation_steps=1,
        gradient_checkpointing=checkpointing,
        optim="adamw_torch_fused",  # the traces stop before the update and its temporaries
        **changes,
    )
    dtype = {2: "bfloat16", 4: "float32"}[trained]
    training = plan.training._replace(loss=loss, adapter_dtype=dtype, weights_dtype="bfloat16")
    job = job_of(plan._replace(training=training))
    precision = precision or Precision(compute=2, stream=2, trained=trained, autocast=False)
    program = program_of(training, precision, 1, padded=False)._replace(on_gpu=False)
    return job._replace(precision=precision, program=program, workspaces=0)


def whole(job):
    return Stage(0, job.architecture.num_hidden_layers, embedding=True, head=True)


@pytest.mark.parametrize(("model", "method", "trained", "tokens", "checkpointing", "loss", "gib"), TRACES)
def test_peak_is_the_traced_one(model, method, trained, tokens, checkpointing, loss, gib):
    job = traced_job(model, method, trained, tokens, checkpointing, loss)
    assert peak_moment(job, whole(job), tokens).total / GIB == pytest.approx(gib, rel=0.002)


def test_largest_moment_is_the_traced_one():
    standard = traced_job(R1, "qlora", 2, 4096, True, "standard")
    fused = traced_job(R1, "qlora", 2, 4096, True, "fused")
    full = traced_job(SEVEN, "full", 2, 4096, True, "standard")
    assert peak_moment(standard, whole(standard), 4096).name == "loss"
    assert peak_moment(fused, whole(fused), 4096).name == "recompute"
    assert peak_moment(full, whole(full), 4096).name == "backward"
