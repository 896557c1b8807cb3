"""Packed rows, joined or not, by the trainer and by TRL's version and strategy."""

from __future__ import annotations

import pytest

from hbspec.api import check, estimate
from hbspec.diagnostics import Severity
from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.positions import row_tokens
from hbspec.estimators.verdict import Verdict

LLAMA_2 = {
    "hbspec": 1,
    "name": "packed",
    "model": {"id": "mistralai/Mistral-7B-v0.3"},
    "data": {"train": {"examples": 15_011}, "tokens": {"mean": 230, "max": 2048}},
    "instance": {"type": "ml.g5.4xlarge", "region": "us-east-1", "price": "2.03 USD/h", "max_runtime": "20h"},
}
"""https://www.philschmid.de/instruction-tune-llama-2: QLoRA of a 7B with packed rows of 2,048 tokens, four at once, on
one A10G in three hours, without flash attention. (A 7B of the catalog stands for Llama 2.)"""


def packed(software, **hyperparameters):
    given = {
        "method": "qlora",
        "learning_rate": 2e-4,
        "num_train_epochs": 3,
        "per_device_batch_size": 4,
        "gradient_accumulation_steps": 2,
        "max_length": 2048,
        "packing": True,
        "attn_implementation": "eager",
        "optim": "paged_adamw_32bit",
        "lora_r": 64,
        "lora_alpha": 16,
        "lora_dropout": 0.1,
        "target_modules": ["q_proj", "v_proj"],
        **hyperparameters,
    }
    return LLAMA_2 | {"software": software, "hyperparameters": given}


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("software", "strategy", "joined"),
    [
        ({"trl": "0.18.2"}, None, False),
        ({"trl": "0.19.0"}, None, True),
        ({"trl": "0.19.0"}, "wrapped", False),
        ({"trl": "0.20.0"}, None, True),
        ({"trl": "1.0.0"}, "bfd_split", True),
        ({"trl": "1.16.0"}, None, True),
        ({"trl": "1.16.0"}, "wrapped", False),
        ({"trainer": "transformers"}, None, False),
        ({"trainer": "loop"}, None, False),
    ],
)
def test_rows_of_a_micro_batch(software, strategy, joined):
    more = {"packing_strategy": strategy} if strategy else {}
    plan = estimate(packed(software, **more)).plan
    assert plan.training.joined == joined
    assert row_tokens(job_of(plan), 2048) == (4 * 2048 if joined else 2048)


@pytest.mark.parametrize(
    ("trl", "loss"),
    [("0.18.2", "standard"), ("1.6.0", "standard"), ("1.7.0", "chunked"), ("1.14.2", "chunked"), ("1.15.0", "fused")],
)
def test_the_usual_loss(trl, loss):
    plan = estimate(packed({"trl": trl})).plan
    assert plan.training.loss == loss
    (assumed,) = [one for one in plan.assumptions if one.route == ("hyperparameters", "loss")]
    assert (assumed.value, assumed.source) == (loss, f"TRL {trl.rpartition('.')[0]} SFTTrainer")


def test_a_job_that_ran_is_no_error():
    ran = {"trl": "0.4.7", "transformers": "4.31.0", "peft": "0.4.0", "bitsandbytes": "0.40.2", "accelerate": "0.21.0"}
    spec = packed(ran | {"weights_dtype": "float32"})  # the author's script prepares for k-bit training
    assert estimate(spec).memory.verdict is not Verdict.DOES_NOT_FIT
    assert not [one for one in check(spec).diagnostics if one.code == "HB109" and one.severity is Severity.ERROR]


def test_concatenated_rows_hold_what_exceeds_a_row():
    """Best fit truncates an example that is longer than a row; wrapping goes on in the next one."""
    long = {"data": {"train": {"examples": 1000}, "tokens": {"mean": 3000, "max": 3000}}}
    fitted, wrapped = (
        estimate(packed({"trl": "1.16.0"}, packing_strategy=strategy) | long).plan.counts.rows
        for strategy in ("bfd", "wrapped")
    )
    assert (fitted, wrapped) == (1000, 1465)
