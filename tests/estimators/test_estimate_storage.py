"""Disk of the host: the weights once, checkpoints as they are kept, the result, and the data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planned import planned

from hbspec.estimators.job.storage import DEFAULT_VOLUME, storage
from hbspec.units import GB, Interval

SMALL = "Qwen/Qwen2.5-7B"


def on(instance_type, *, volume=None, kept=3, **hyperparameters):
    """The disk of a small QLoRA job on an instance type."""
    plan = planned(SMALL, instance={"type": instance_type, "parallelism": "single"}, **hyperparameters)
    return plan, storage(plan, volume=volume, kept=kept)


def test_weights_come_once_and_in_16_bits():
    _, found = on("ml.g5.xlarge")
    assert found.terms["weights"] == Interval.exact(2 * 7_615_616_512)


@pytest.mark.parametrize(
    ("steps", "kept", "held", "at_most"),
    [(300, 3, 3, 4), (100, 3, 2, 2), (150, 3, 3, 3), (300, None, 6, 6), (300, 6, 6, 6)],
)
def test_the_newest_checkpoint_is_written_before_the_oldest_is_deleted(steps, kept, held, at_most):
    plan, found = on("ml.g5.xlarge", kept=kept, max_steps=steps, save_steps=50)
    size = plan.checkpoint_bytes
    assert found.terms["checkpoints"] == Interval(held * size, held * size, at_most * size)


def test_nvme_is_the_disk_where_there_is_one():
    _, found = on("ml.g5.xlarge", volume=500 * GB)
    assert (found.place, found.capacity, found.chosen) == ("NVMe", 250 * GB, False)


@pytest.mark.parametrize(("volume", "capacity"), [(None, DEFAULT_VOLUME), (500 * GB, 500 * GB)])
def test_a_volume_elsewhere(volume, capacity):
    _, found = on("ml.p3.2xlarge", volume=volume)
    assert (found.place, found.capacity, found.chosen) == ("volume", capacity, volume is not None)


def test_a_volume_beside_disks_that_are_not_known_is_not_surely_too_small():
    _, found = on("ml.p3.2xlarge", volume=10 * GB)
    assert found.needed.low > found.capacity
    assert (found.verdict, found._replace(perhaps_more=False).verdict) == ("tight", "does_not_fit")
    assert on("ml.p3.2xlarge", volume=500 * GB)[1].verdict == "fits"


def test_the_disk_of_a_machine_of_ones_own_is_not_known():
    plan = planned(SMALL, instance={"type": None, "gpu": "A10G", "parallelism": "single"})
    found = storage(plan, volume=None, kept=3)
    assert (found.place, found.capacity, found.verdict) == ("disk", None, "unknown")


def test_data_are_small_beside_weights_but_there():
    _, found = on("ml.g5.xlarge")
    tokens = 2198 * 374
    assert found.terms["data"] == Interval(3 * tokens, 30 * tokens, 60 * tokens)


@given(st.integers(1, 20), st.integers(1, 20))
def test_more_checkpoints_never_take_less(few, more):
    _, less = on("ml.g5.xlarge", kept=few)
    _, larger = on("ml.g5.xlarge", kept=few + more)
    assert larger.needed.low >= less.needed.low
    assert larger.needed.high >= less.needed.high


@given(st.integers(1, 50), st.booleans())
def test_terms_add_up(kept, unlimited):
    _, found = on("ml.g5.xlarge", kept=None if unlimited else kept)
    assert found.needed == sum(found.terms.values(), Interval.exact(0))
    assert found.to_dict()["bytes"]["expected"] == round(found.needed.expected)
