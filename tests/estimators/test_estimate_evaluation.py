"""Evaluation and the author's own measurement in the time of a job."""

from __future__ import annotations

import pytest
from planned import P4D, planned

from hbspec.estimators.job.time import time

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


def test_a_measured_rate_beats_the_estimate():
    plan = planned(
        instance={**P4D, "parallelism": "ddp"}, sections={"calibration": {"tokens_per_second_per_gpu": 500.0}}
    )
    found = time(plan)
    assert found.step_seconds.expected == pytest.approx(plan.effective_batch_size * 374 / (8 * 500))
    assert found.tokens_per_second_per_gpu.expected == pytest.approx(500)
    assert found.step_seconds.high / found.step_seconds.low < 1.3
