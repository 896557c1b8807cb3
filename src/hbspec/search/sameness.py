"""Whether two plans train the same: the same data in the same updates, with the same arithmetic up to rounding."""

from __future__ import annotations

from hbspec.plan import Plan

PLACED = frozenset(
    {
        *("micro_batch", "gradient_accumulation", "sync_each_batch", "eval_batch"),
        *("gradient_checkpointing", "use_reentrant", "attention", "quant_storage"),
    }
)
"""Fields of a training that say where and in which order it is computed, not what."""


def trained_otherwise(now: Plan, then: Plan) -> tuple[str, ...]:
    """The names of what differs between two trainings; empty where they are the same.

    Left out: that other ranks draw other dropout masks, and that the last update of an epoch is filled up with other
    examples where the ranks or the micro-batch differ (`hbspec.plan.counts`).
    """
    names = (name for name in now.training._fields if name not in PLACED)
    differing = [name for name in names if getattr(now.training, name) != getattr(then.training, name)]
    if now.effective_batch_size != then.effective_batch_size:
        differing.append("effective_batch_size")
    if (now.counts and now.counts.optimizer_steps) != (then.counts and then.counts.optimizer_steps):
        differing.append("optimizer_steps")
    return tuple(differing)
