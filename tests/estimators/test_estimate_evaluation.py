"""Evaluation and the author's own measurement in the time of a job."""

from __future__ import annotations

import pytest
from planned import P4D, planned

from hbspec.estimators.job.step_time import micro_batch_seconds
from hbspec.estimators.job.time import time
from hbspec.estimators.training.memory import memory

DATA = {"data": {"train": {"examples": 1758}, "validation": {"examples": 440}, "tokens": {"mean": 374.0, "max": 689}}}


def test_evaluation_is_the_forward_share_of_its_examples():
    none = time(planned(instance={**P4D, "parallelism": "ddp"}))
    once = time(planned(instance={**P4D, "parallelism": "ddp"}, sections=DATA))
    often = time(planned(instance={**P4D, "parallelism": "ddp"}, sections=DATA, eval_steps=50))
    assert "evaluation" not in none.phases
    assert often.phases["evaluation"].expected == pytest.approx(6 * once.phases["evaluation"].expected)
    # 440 examples over 8 ranks are 55 rows of a process; forward is less than a third of a step that checkpoints
    plan = planned(instance={**P4D, "parallelism": "ddp"}, sections=DATA)
    step = once.step_seconds.expected / plan.training.gradient_accumulation
    assert 55 * step / 4 < once.phases["evaluation"].expected < 55 * step / 3


def test_evaluations_are_packed_only_where_the_trainer_packs_them():
    """440 examples of 374 tokens are as many rows unless packed, which makes 41 rows of 4,096 tokens."""

    def seconds_of_a_row(plan, tokens):
        return micro_batch_seconds(plan, tokens, backward=False).expected

    def evaluated(packing, **sections):
        asked = {"packing": packing, "max_length": 4096, "eval_steps": 300, "per_device_eval_batch_size": 1}
        plan = planned(instance={**P4D, "parallelism": "ddp"}, sections={**DATA, **sections}, **asked)
        return plan, time(plan).phases["evaluation"].expected

    plan, usual = evaluated(packing=False)
    _, shipped = evaluated(packing=True)
    assert shipped == usual == 55 * seconds_of_a_row(plan, 374.0)
    trl = {"script": {"source_dir": "scripts", "entry_point": "train.py"}, "software": {"trainer": "trl"}}
    plan, packed = evaluated(packing=True, **trl)
    assert packed == 6 * seconds_of_a_row(plan, 4096)


def test_a_measured_rate_beats_the_estimate():
    plan = planned(
        instance={**P4D, "parallelism": "ddp"}, sections={"calibration": {"tokens_per_second_per_gpu": 500.0}}
    )
    found = time(plan)
    assert found.step_seconds.expected == pytest.approx(plan.effective_batch_size * 374 / (8 * 500))
    assert found.tokens_per_second_per_gpu.expected == pytest.approx(500)
    assert found.step_seconds.high / found.step_seconds.low < 1.3


def test_an_evaluation_holds_all_logits_of_its_own_micro_batch():
    """A trainer left at its 8 rows, where one row is trained: what fits in training runs out in an evaluation."""
    script = {"script": {"source_dir": "scripts", "entry_point": "train.py"}, "software": {"trainer": "transformers"}}
    given = {"loss": "standard", "max_length": 4096, "eval_steps": 50, "per_device_batch_size": 1}
    data = {"data": {**DATA["data"], "tokens": {"mean": 3000.0, "max": 4096}}}

    def fullest(**more):
        instance = {"type": None, "gpu": "RTX 4090", "gpus": 1, "parallelism": "single"}
        return memory(
            planned("google/gemma-3-4b-it", instance=instance, sections={**data, **script}, **{**given, **more})
        ).fullest

    usual, one = fullest(), fullest(per_device_eval_batch_size=1)
    assert (usual.moment, one.moment) == ("evaluation", "loss")
    logits = 8 * 4096 * 262_208 * (2 + 4 + 4)  # of 16 bits, in fp32, their logarithms
    assert usual.terms["logits"] == pytest.approx(logits, rel=0.01)
    assert usual.peak_reserved.expected >= usual.peak_allocated.expected > one.peak_reserved.expected


def test_the_shipped_script_evaluates_as_many_rows_as_it_trains():
    plan = planned(instance={**P4D, "parallelism": "ddp"}, sections=DATA, per_device_batch_size=2)
    assert plan.training.eval_batch == 2
    several = planned(
        instance={**P4D, "parallelism": "ddp"}, sections=DATA, per_device_batch_size=2, per_device_eval_batch_size=16
    )
    assert several.training.eval_batch == 16
    assert planned(instance={**P4D, "parallelism": "ddp"}).training.eval_batch is None
