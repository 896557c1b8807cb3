"""The arithmetic of batches, updates and epochs, as in the Hugging Face trainer.

Symbols: n examples, m micro-batch (examples per process and forward pass), a gradient accumulation steps, d
data-parallel ranks (processes that see different examples). Source of the rounding: `transformers.Trainer` (the last
update of an epoch accumulates the remaining micro-batches) and `accelerate.data_loader.BatchSamplerShard`
(`even_batches=True`: with d > 1 the last micro-batches are filled up with examples from the beginning of the epoch).
Left out: `dataloader_drop_last`, `split_batches`, group-by-length sampling.
"""

from __future__ import annotations

from math import ceil


def data_parallel_size(world_size: int, tensor_parallel: int = 1) -> int:
    """Data-parallel ranks: d = world size / tensor-parallel size.

    Raises:
        ValueError: the world size is not a multiple of the tensor-parallel size.
    """
    if world_size % tensor_parallel:
        raise ValueError(f"{tensor_parallel} does not divide {world_size}")
    return world_size // tensor_parallel


def effective_batch_size(micro_batch: int, gradient_accumulation: int, data_parallel: int) -> int:
    """Examples per full update: m x a x d."""
    return micro_batch * gradient_accumulation * data_parallel


def micro_batches_per_epoch(examples: int, micro_batch: int, data_parallel: int) -> int:
    """Micro-batches per process and epoch: ceil(n / (m d))."""
    return ceil(examples / (micro_batch * data_parallel))


def steps_per_epoch(examples: int, micro_batch: int, gradient_accumulation: int, data_parallel: int) -> int:
    """Updates per epoch, including a partial last one: ceil(ceil(n / (m d)) / a)."""
    return ceil(micro_batches_per_epoch(examples, micro_batch, data_parallel) / gradient_accumulation)


def examples_per_epoch(examples: int, micro_batch: int, data_parallel: int) -> int:
    """Examples consumed per epoch: n for one process, else n filled up to whole micro-batches of every process."""
    if data_parallel == 1:
        return examples
    return micro_batches_per_epoch(examples, micro_batch, data_parallel) * micro_batch * data_parallel


def optimizer_steps(steps_of_epoch: int, max_steps: int | None, epochs: float) -> int:
    """Updates of the whole run: `max_steps` where given, else ceil(epochs x steps per epoch)."""
    return max_steps if max_steps is not None else ceil(epochs * steps_of_epoch)


def updates_between(asked: float, steps: int) -> int:
    """Updates that `save_steps` and its like ask for: a whole number as it is; ceil(share x updates) below 1.

    Source: transformers 5.23.0, `TrainerState.compute_steps` and `TrainingArguments.get_warmup_steps`.

    >>> updates_between(50, 301), updates_between(0.1, 301)
    (50, 31)
    """
    return ceil(steps * asked) if asked < 1 else int(asked)


def examples_processed(
    steps: int, examples: int, micro_batch: int, gradient_accumulation: int, data_parallel: int
) -> int:
    """Examples consumed by `steps` updates: whole epochs, then full updates of the last, incomplete epoch.

    >>> examples_processed(300, 2198, 1, 32, 1)
    9560
    """
    epochs, rest = divmod(steps, steps_per_epoch(examples, micro_batch, gradient_accumulation, data_parallel))
    whole = epochs * examples_per_epoch(examples, micro_batch, data_parallel)
    return whole + rest * effective_batch_size(micro_batch, gradient_accumulation, data_parallel)


def nominal_examples(steps: int, effective_batch: int) -> int:
    """Examples as plans usually state them, as if every update were full: steps x effective batch size."""
    return steps * effective_batch


def micro_batches_processed(
    steps: int, examples: int, micro_batch: int, gradient_accumulation: int, data_parallel: int
) -> int:
    """Micro-batches that each process runs forward and backward in `steps` updates."""
    per_epoch = steps_per_epoch(examples, micro_batch, gradient_accumulation, data_parallel)
    epochs, rest = divmod(steps, per_epoch)
    return epochs * micro_batches_per_epoch(examples, micro_batch, data_parallel) + rest * gradient_accumulation
