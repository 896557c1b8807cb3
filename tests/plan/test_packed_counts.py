"""Packed rows of lengths that are not known: every count that follows from them has its ends."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbspec.api import estimate
from hbspec.plan.counts import micro_batches_processed, optimizer_steps, steps_per_epoch
from hbspec.plan.data_loop import _ends

GOOD = Path(__file__).parents[1] / "cases" / "good"


def packed(tokens):
    """Estimates of packed rows of 4,096 tokens."""
    return estimate(
        {
            "hbspec": 1,
            "name": "packed",
            "model": {"id": "Qwen/Qwen2.5-7B"},
            "data": {"train": {"examples": 2000}, **({"tokens": tokens} if tokens else {})},
            "instance": {"type": "ml.g5.2xlarge", "region": "us-east-1", "parallelism": "single", "max_runtime": "99h"},
            "hyperparameters": {
                "method": "qlora",
                "learning_rate": 1e-4,
                "num_train_epochs": 4,
                "per_device_batch_size": 2,
                "gradient_accumulation_steps": 4,
                "max_length": 4096,
                "packing": True,
            },
        }
    )


@pytest.fixture(scope="module")
def three():
    """Lengths that are not known, and those at their two ends."""
    return [packed(tokens) for tokens in (None, {"mean": 32, "max": 4096}, {"mean": 4096, "max": 4096})]


def test_the_ends_are_the_counts_of_the_lengths_at_their_ends(three):
    unknown, short, long = (found.plan for found in three)
    for name in ("steps_per_epoch", "optimizer_steps", "micro_batches"):
        found = unknown.counted(name)
        assert (found.low, found.high) == (getattr(short.counts, name), getattr(long.counts, name))
        assert found.low < found.expected < found.high
    assert unknown.padded_tokens.low == short.padded_tokens.low
    assert unknown.padded_tokens.high == long.padded_tokens.high


def test_time_and_cost_reach_as_far(three):
    unknown, short, long = three
    assert unknown.time.phases["steps"].low == short.time.phases["steps"].low
    assert unknown.time.phases["steps"].high == long.time.phases["steps"].high
    assert unknown.time.total_seconds.high >= long.time.total_seconds.high
    assert unknown.cost.high >= long.cost.high


def test_json_has_the_ranges_only_where_counts_are_not_exact(three):
    unknown, short, _ = (found.plan.to_dict() for found in three)
    assert short["count_ranges"] is None
    ranges = unknown["count_ranges"]
    assert ranges["optimizer_steps"]["expected"] == unknown["optimizer_steps"]
    assert ranges["optimizer_steps"]["low"] < unknown["optimizer_steps"] < ranges["optimizer_steps"]["high"]


def test_so_many_updates_may_take_more_rows_where_an_epoch_has_fewer():
    """Every epoch ends with an update of what is left of it, so that rows do not grow with the rows of an epoch."""
    packing = ("packing=true", "max_length=4096", "gradient_accumulation_steps=32", "max_steps=300")
    plan = estimate(
        GOOD / "A.yaml",
        overrides=["instance.parallelism=pipeline", *(f"hyperparameters.{setting}" for setting in packing)],
    ).plan
    few, *_, many = (loop.counts for loop in plan.loops)
    every = [
        micro_batches_processed(300, rows, plan.training.micro_batch, 32, plan.data_parallel_size)
        for rows in range(few.rows, many.rows + 1)
    ]
    found = plan.counted("micro_batches")
    assert (found.low, found.high) == (min(every), max(every))
    assert few.micro_batches not in (min(every), max(every))
    row, per_micro_batch = plan.padded_row_tokens, few.rows_computed // few.micro_batches
    assert plan.padded_tokens.low == row.low * found.low * per_micro_batch
    assert plan.padded_tokens.high == row.high * found.high * per_micro_batch


@given(
    few=st.integers(1, 400),
    more=st.integers(0, 400),
    steps=st.integers(1, 60),
    micro_batch=st.integers(1, 3),
    accumulation=st.integers(1, 9),
    ranks=st.integers(1, 4),
)
def test_the_ends_bound_every_number_of_rows(few, more, steps, micro_batch, accumulation, ranks):
    def micro_batches(rows):
        return micro_batches_processed(steps, rows, micro_batch, accumulation, ranks)

    training = SimpleNamespace(max_steps=steps)
    found = [micro_batches(rows) for rows in _ends(few, few + more, training, micro_batch * accumulation * ranks)]
    every = [micro_batches(rows) for rows in range(few, few + more + 1)]
    assert (min(found), max(found)) == (min(every), max(every))


@given(
    rows=st.integers(1, 400),
    epochs=st.floats(0.1, 5),
    micro_batch=st.integers(1, 3),
    accumulation=st.integers(1, 9),
    ranks=st.integers(1, 4),
)
def test_over_epochs_micro_batches_grow_with_the_rows(rows, epochs, micro_batch, accumulation, ranks):
    def micro_batches(rows):
        steps = optimizer_steps(steps_per_epoch(rows, micro_batch, accumulation, ranks), None, epochs)
        return micro_batches_processed(steps, rows, micro_batch, accumulation, ranks)

    assert micro_batches(rows) <= micro_batches(rows + 1)
