"""How much two jobs have in common: what an estimate gets wrong about one of them, it gets wrong about the other."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from hbspec.diagnostics import NotKnownError
from hbspec.estimators.job.step_time import is_measured, usual_step
from hbspec.estimators.step.duration import micro_batch, update
from hbspec.plan import Plan

ALIKE = 1.36
"""The factor within which the errors of two estimates of a step agree, where GPU, model, method, quantisation, trainer
and parallelism are the same, and batch, lengths or anything else differ. Nine in ten of the pairs of such rows in the
published measurements that `hbspec.estimators.constants.STEP` is fitted to agree within it, sources weighing the same,
as `python benchmarks/shared_errors.py` prints (1.35, rounded up); of all pairs of rows of one source, nine in ten agree
within 1.46."""


class Kinship(StrEnum):
    """What the steps of two jobs have in common.

    SAME: both compute the very same micro-batches and updates, only another number of them, so that one unknown time is
    counted twice. ALIKE: the same model on the same GPU in another batch or length, whose errors agree within `ALIKE`.
    APART: everything else, such as other GPUs or other models: the errors are taken to be unrelated.
    """

    SAME = "same"
    ALIKE = "alike"
    APART = "apart"


def kinship(first: Plan, other: Plan) -> Kinship:
    """What the steps of two plans have in common; APART where anything that decides it is not known."""
    try:
        if _asked(first) == _asked(other):
            return Kinship.SAME
    except NotKnownError:
        return Kinship.APART
    estimated = not any(is_measured(plan) or plan.between is not None for plan in (first, other))
    return Kinship.ALIKE if estimated and _family(first) == _family(other) else Kinship.APART


def same_tokens(first: Plan, other: Plan) -> bool:
    """Whether the rows of both are the same texts in the same tokens, however many these are."""
    return first.lengths == other.lengths and first.architecture == other.architecture and first.lengths.known


def same_hosts(first: Plan, other: Plan) -> bool:
    """Whether both run on instances of one type, or on one machine, whose network and disks are then the same."""
    if first.hardware is None or other.hardware is None:
        return False
    return first.hardware._replace(instances=1) == other.hardware._replace(instances=1)


def _asked(plan: Plan) -> tuple[Any, ...]:
    """Everything that decides the time of a micro-batch and of an update, but for the constants."""
    ends = {plan.padded_row_tokens.low, plan.padded_row_tokens.expected, plan.padded_row_tokens.high}
    batches = (
        None if is_measured(plan) or plan.between is not None else [micro_batch(plan, end) for end in sorted(ends)]
    )
    return plan.require("hardware").gpu, usual_step(plan), batches, None if batches is None else update(plan)


def _family(plan: Plan) -> tuple[Any, ...]:
    training = plan.training
    return (
        plan.require("hardware").gpu,
        plan.require("architecture"),
        plan.parallelism,
        training.method,
        training.quantization,
        training.compute_dtype,
        training.trainer,
        training.kernel,
    )
