"""How many completions GRPO generates together, and what its sampler makes of an epoch.

Symbols: P prompts, G completions of each, m micro-batch, d data-parallel ranks, S micro-batches that are generated
together, i iterations over them. Source: TRL 1.16.0, `grpo_config.py`, `__post_init__`; `grpo_trainer.py`,
`get_train_dataloader` and `_get_train_sampler`; `trainer/utils.py`, `RepeatSampler`.
"""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from hbspec.plan.counts import optimizer_steps
from hbspec.plan.loop import Counts
from hbspec.plan.training import Training
from hbspec.spec import Spec

USUAL_GROUP = 8
"""`GRPOConfig.num_generations`."""


class Generations(NamedTuple):
    """What is generated together.

    Attributes:
        group: G, completions of a prompt.
        steps: S, micro-batches of each process.
        batch: completions of all processes, m d S.
        iterations: i, how often they are trained on.
    """

    group: int
    steps: int
    batch: int
    iterations: int

    @property
    def prompts(self) -> int:
        """Prompts that are generated from together; those of an epoch's end that are fewer are left out."""
        return self.batch // self.group

    def micro_batches(self, prompts: int) -> int:
        """Micro-batches of each process in an epoch: floor(P / prompts together) S i; none of a group cut apart."""
        return prompts // self.prompts * self.steps * self.iterations if self.prompts else 0


def generations(spec: Spec, ranks: int) -> Generations:
    """What a spec generates together on so many data-parallel ranks; by default as much as an update trains on."""
    given = spec.hyperparameters
    at_once = given.per_device_batch_size * ranks
    steps = given.steps_per_generation or given.gradient_accumulation_steps
    if given.generation_batch_size is not None:
        steps = max(1, given.generation_batch_size // at_once)
    return Generations(given.num_generations or USUAL_GROUP, steps, at_once * steps, given.num_iterations or 1)


def generated_counts(found: Generations, training: Training, ranks: int, prompts: int) -> Counts | None:
    """Counts of a job whose rows are completions, and whose examples are prompts; None where no batch is whole.

    An update accumulates the micro-batches that an epoch's end leaves, as in `hbspec.plan.counts`.
    """
    per_epoch, accumulation = found.micro_batches(prompts), training.gradient_accumulation
    if not per_epoch:
        return None
    steps_per_epoch = ceil(per_epoch / accumulation)
    steps = optimizer_steps(steps_per_epoch, training.max_steps, training.epochs)
    epochs, rest = divmod(steps, steps_per_epoch)
    micro_batches, at_once = epochs * per_epoch + rest * accumulation, training.micro_batch * ranks
    each = found.group * found.iterations
    processed, nominal = (round(rows / each) for rows in (at_once * micro_batches, at_once * accumulation * steps))
    return Counts(
        examples=prompts,
        rows=at_once * per_epoch,
        effective_batch_size=at_once * accumulation,
        micro_batches_per_epoch=per_epoch,
        steps_per_epoch=steps_per_epoch,
        optimizer_steps=steps,
        micro_batches=micro_batches,
        rows_computed=at_once * micro_batches,
        examples_processed=processed,
        nominal_examples=nominal,
        epochs=processed / prompts,
        nominal_epochs=nominal / prompts,
    )
