"""Shares of the updates: resolved as transformers resolves them, by every consumer."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbspec.api import estimate
from hbspec.plan.counts import updates_between

AS_OF = date(2026, 11, 24)
UPDATES = 287


def planned(examples=2000, transformers="5.23.0", **hyperparameters):
    """The estimates of a run of some updates."""
    return estimate(
        {
            "hbspec": 1,
            "name": "shares",
            "model": {"id": "Qwen/Qwen2.5-7B"},
            "data": {
                "train": {"examples": examples},
                "validation": {"examples": 100},
                "tokens": {"mean": 400, "max": 700},
            },
            "instance": {"type": "ml.g5.2xlarge", "region": "us-east-1", "max_runtime": "9h", "spot": True},
            "software": {"transformers": transformers},
            "hyperparameters": {
                "learning_rate": 1e-4,
                "per_device_batch_size": 1,
                "gradient_accumulation_steps": 4,
                "max_length": 704,
                "max_steps": UPDATES,
                **hyperparameters,
            },
        },
        as_of=AS_OF,
    )


@given(steps=st.integers(1, 10**5), share=st.floats(1e-4, 1, exclude_max=True))
def test_rounded_as_transformers_rounds(steps, share):
    state = pytest.importorskip("transformers").TrainerState()
    state.compute_steps(SimpleNamespace(logging_steps=share, eval_steps=share, save_steps=share), steps)
    assert updates_between(share, steps) == state.save_steps


@given(steps=st.integers(1, 10**5), asked=st.floats(0, 1, exclude_max=True) | st.integers(1, 10**5))
def test_the_warm_up_too(steps, asked):
    from_library = pytest.importorskip("transformers").TrainingArguments.get_warmup_steps
    assert updates_between(asked, steps) == from_library(SimpleNamespace(warmup_steps=asked), steps)


def test_a_share_is_what_its_updates_are():
    share = planned(save_steps=0.1, eval_steps=0.1, warmup_steps=0.05)
    count = planned(save_steps=29, eval_steps=29, warmup_steps=15)
    assert share.plan.training == count.plan.training
    assert share.plan.evaluations == count.plan.evaluations == 10  # every 29 of 287, and the last
    assert share.time == count.time
    assert share.cost.to_dict() == count.cost.to_dict()
    assert share.storage == count.storage


@pytest.mark.parametrize(("transformers", "evaluations"), [("5.3.0", 9), ("5.4.0", 10)])
def test_the_last_update_is_evaluated_since(transformers, evaluations):
    assert planned(transformers=transformers, eval_steps=29).plan.evaluations == evaluations
    assert planned(transformers=transformers, eval_steps=41).plan.evaluations == 7


def test_of_a_run_counted_in_epochs():
    assert planned(max_steps=None, num_train_epochs=1, save_steps=0.1).plan.training.save_steps == 50  # of 500


def test_a_share_of_unknown_updates_stays_one():
    unknown = planned(examples=None, max_steps=None, save_steps=0.1, eval_steps=0.1)
    assert unknown.plan.training.save_steps == 0.1
    assert unknown.plan.evaluations is None
    assert unknown.time is None


def test_the_best_checkpoint_is_saved_as_often_as_it_is_evaluated():
    chosen = planned(eval_steps=0.1, load_best_model_at_end=True)
    assert chosen.plan.training.save_steps == chosen.plan.training.eval_steps == 29
