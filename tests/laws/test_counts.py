"""The arithmetic of batches and epochs, against the sampler that deals examples out in a real job."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbspec.plan import counts as count

EXAMPLES = st.integers(1, 400)
MICRO = st.integers(1, 12)
ACCUMULATION = st.integers(1, 12)
RANKS = st.integers(1, 9)
STEPS = st.integers(1, 300)


def dealt(examples: int, micro: int, ranks: int) -> list[list[list[int]]]:
    """Micro-batches of each rank in one epoch, as accelerate's own sampler makes them."""
    from accelerate.data_loader import BatchSamplerShard
    from torch.utils.data import BatchSampler, SequentialSampler

    batches = BatchSampler(SequentialSampler(range(examples)), micro, drop_last=False)
    if ranks == 1:
        return [list(batches)]
    return [list(BatchSamplerShard(batches, ranks, rank, even_batches=True)) for rank in range(ranks)]


def updates_of(epoch: list[list[list[int]]], accumulation: int) -> list[int]:
    """Examples of each update, all ranks together: the trainer closes an epoch's last update early."""
    per_rank = [[len(batch) for batch in rank] for rank in epoch]
    together = [sum(sizes) for sizes in zip(*per_rank, strict=True)]
    return [sum(together[start : start + accumulation]) for start in range(0, len(together), accumulation)]


@given(EXAMPLES, MICRO, ACCUMULATION, RANKS)
def test_an_epoch_is_what_the_sampler_deals_out(examples, micro, accumulation, ranks):
    epoch = dealt(examples, micro, ranks)
    assert count.micro_batches_per_epoch(examples, micro, ranks) == len(epoch[0])
    assert count.examples_per_epoch(examples, micro, ranks) == sum(len(b) for rank in epoch for b in rank)
    assert count.steps_per_epoch(examples, micro, accumulation, ranks) == len(updates_of(epoch, accumulation))


@given(EXAMPLES, MICRO, ACCUMULATION, RANKS, STEPS)
def test_examples_processed_is_the_sum_over_updates(examples, micro, accumulation, ranks, steps):
    epoch = updates_of(dealt(examples, micro, ranks), accumulation)
    whole, rest = divmod(steps, len(epoch))
    assert count.examples_processed(steps, examples, micro, accumulation, ranks) == whole * sum(epoch) + sum(
        epoch[:rest]
    )


@given(EXAMPLES, MICRO, ACCUMULATION, RANKS, STEPS)
def test_micro_batches_processed(examples, micro, accumulation, ranks, steps):
    per_epoch = len(dealt(examples, micro, ranks)[0])
    sizes = [min(accumulation, per_epoch - start) for start in range(0, per_epoch, accumulation)]
    whole, rest = divmod(steps, len(sizes))
    found = count.micro_batches_processed(steps, examples, micro, accumulation, ranks)
    assert found == whole * per_epoch + sum(sizes[:rest])


@given(EXAMPLES, MICRO, ACCUMULATION, RANKS, STEPS)
def test_nominal_is_never_less_than_processed(examples, micro, accumulation, ranks, steps):
    effective = count.effective_batch_size(micro, accumulation, ranks)
    processed = count.examples_processed(steps, examples, micro, accumulation, ranks)
    assert processed <= count.nominal_examples(steps, effective)


@given(EXAMPLES, MICRO, ACCUMULATION, RANKS)
def test_more_ranks_never_make_an_epoch_longer(examples, micro, accumulation, ranks):
    more = count.steps_per_epoch(examples, micro, accumulation, ranks + 1)
    assert more <= count.steps_per_epoch(examples, micro, accumulation, ranks)


@given(MICRO, ACCUMULATION, RANKS, st.integers(1, 8))
def test_effective_batch_is_multilinear(micro, accumulation, ranks, factor):
    once = count.effective_batch_size(micro, accumulation, ranks)
    assert count.effective_batch_size(micro * factor, accumulation, ranks) == factor * once
    assert count.effective_batch_size(micro, accumulation * factor, ranks) == factor * once
    assert count.effective_batch_size(micro, accumulation, ranks * factor) == factor * once


@given(EXAMPLES, st.floats(0.01, 50))
def test_epochs_are_rounded_up_to_updates(examples, epochs):
    per_epoch = count.steps_per_epoch(examples, 2, 3, 1)
    assert count.optimizer_steps(per_epoch, None, epochs) == ceil(epochs * per_epoch)
    assert count.optimizer_steps(per_epoch, 7, epochs) == 7


@pytest.mark.parametrize(
    ("examples", "micro", "accumulation", "ranks", "steps", "processed"),
    [
        (2198, 1, 32, 1, 300, 9560),
        (2198, 1, 32, 8, 300, 33 * 2200 + 3 * 256),
        (2198, 1, 4, 8, 300, 4 * 2200 + 24 * 32),
        (1758, 1, 32, 1, 300, 9590),
        (160, 3, 2, 2, 14, 162),
        (157, 3, 2, 2, 14, 162),
    ],
)
def test_known_runs(examples, micro, accumulation, ranks, steps, processed):
    assert count.examples_processed(steps, examples, micro, accumulation, ranks) == processed


def test_data_parallel_size():
    assert count.data_parallel_size(8, 2) == 4
    with pytest.raises(ValueError, match="3 does not divide 8"):
        count.data_parallel_size(8, 3)
