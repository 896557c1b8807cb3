"""Packed rows of lengths that are not known: every count that follows from them has its ends."""

from __future__ import annotations

import pytest

from hbspec.api import estimate


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
