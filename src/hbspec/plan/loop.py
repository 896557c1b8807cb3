"""The counts of the data loop, and what of a job follows from the number of its rows."""

from __future__ import annotations

from typing import NamedTuple


class Counts(NamedTuple):
    """Counts of the data loop. Examples, micro-batches and updates are exact; see `hbspec.plan.counts`.

    Attributes:
        examples: examples of the training split that are trained on; those that are too long may be left out.
        rows: rows of the training split: examples, or packed rows.
        micro_batches: micro-batches per process in the whole job.
        rows_computed: rows of all processes in the whole job, including rows that fill up micro-batches.
    """

    examples: int
    rows: int
    effective_batch_size: int
    micro_batches_per_epoch: int
    steps_per_epoch: int
    optimizer_steps: int
    micro_batches: int
    rows_computed: int
    examples_processed: int
    nominal_examples: int
    epochs: float
    nominal_epochs: float


class BoundingLoop(NamedTuple):
    """What of a job follows from the number of its rows.

    Attributes:
        counts: the counts of the data loop.
        save_steps: updates between checkpoints, None where there are none.
        eval_steps: updates between evaluations, None where there are none.
        evaluations: as in `Plan`.
    """

    counts: Counts
    save_steps: float | None
    eval_steps: float | None
    evaluations: int | None


RANGED = (
    "micro_batches_per_epoch",
    "steps_per_epoch",
    "optimizer_steps",
    "examples_processed",
    "nominal_examples",
    "epochs",
    "nominal_epochs",
)
"""Counts that follow from the number of rows."""
