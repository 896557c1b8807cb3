"""The time of a micro-batch and of an update: measured where that is known, else estimated."""

from __future__ import annotations

from typing import NamedTuple

from hbspec.estimators.constants import MEASURED_ERROR, OBJECTIVE_ERROR, STEP, StepConstants
from hbspec.estimators.job.measured import recorded_step
from hbspec.estimators.job.paging import paging_seconds
from hbspec.estimators.job.rollouts import rolled
from hbspec.estimators.step.duration import micro_batch, update
from hbspec.plan import Plan
from hbspec.units import Interval


class StepTime(NamedTuple):
    """Seconds of a micro-batch and of an update, and real tokens per second and GPU, including idle GPUs."""

    micro_batch: Interval
    update: Interval
    tokens_per_second_per_gpu: Interval


def is_measured(plan: Plan) -> bool:
    """Whether the time of a step was measured, and is not estimated."""
    return plan.measured_tokens_per_second is not None or (plan.measured is not None and plan.measured.speed)


def usual_step(plan: Plan, constants: StepConstants = STEP) -> StepTime:
    """The time of a step at the rate that the author or a record gives, else as estimated.

    Raises:
        NotKnownError: as for `time`.
    """
    return _measured(plan) or step_of(plan, constants)


def step_of(plan: Plan, constants: StepConstants = STEP) -> StepTime:
    """The estimated time of a step, as an interval over the possible row lengths and the error of the estimate.

    Raises:
        NotKnownError: as for `time`.
    """
    gpus = plan.require("hardware").gpus
    rows = plan.require("effective_batch_size") * plan.training.objective.rows
    real, once = plan.row_tokens, update(plan).seconds(constants) + paging_seconds(plan)
    found = by_length(plan, constants, backward=True)
    accumulation = plan.training.gradient_accumulation
    # rates are highest for long rows, so the extremes over all lengths are taken
    rates = [
        [rows * tokens / gpus / seconds for seconds in _ends(batch * accumulation + once)]
        for tokens, batch in zip(_ends(real), found, strict=True)
    ]
    slowest, fastest = min(rate[2] for rate in rates), max(rate[0] for rate in rates)
    return StepTime(over_lengths(found), once, Interval(slowest, rates[1][1], fastest))


def _ends(interval: Interval) -> tuple[float, float, float]:
    return interval.low, interval.expected, interval.high


def by_length(plan: Plan, constants: StepConstants, *, backward: bool) -> list[Interval]:
    """Seconds of a micro-batch with the shortest, expected and longest rows."""
    lengths = _ends(plan.padded_row_tokens)
    found = {length: micro_batch_seconds(plan, length, constants, backward=backward) for length in {*lengths}}
    return [found[length] for length in lengths]


def micro_batch_seconds(
    plan: Plan, tokens: float, constants: StepConstants = STEP, *, backward: bool = True
) -> Interval:
    """Seconds of a micro-batch, with the passes of its objective beside its own, and its share of a generation.

    Args:
        plan: the plan.
        tokens: T of each row of the micro-batch, padding included.
        constants: of the step.
        backward: whether gradients are computed.

    Raises:
        NotKnownError: as `hbspec.estimators.step.duration.micro_batch`.
    """
    objective, own = plan.training.objective, micro_batch(plan, tokens, backward=backward).seconds(constants)
    if objective.next_token:
        return own
    rollouts = plan.training.rollouts
    if rollouts is not None:
        each = rolled(plan, rollouts, tokens, constants).total * (1 / (rollouts.steps * rollouts.iterations))
        return own * OBJECTIVE_ERROR + each
    beside = micro_batch(plan, tokens, backward=False).seconds(constants)
    return (own + beside * objective.forwards) * OBJECTIVE_ERROR


def over_lengths(found: list[Interval]) -> Interval:
    """From the shortest rows' low end to the longest rows' high end, of what `by_length` gives."""
    shortest, expected, longest = found
    return Interval(shortest.low, expected.expected, longest.high)


def _measured(plan: Plan) -> StepTime | None:
    """A step at a measured rate, with the update included in its micro-batches; None without a rate."""
    measured = plan.measured_tokens_per_second
    if measured is None:
        if plan.measured is None or not plan.measured.speed:
            return None
        micro_batches, rates = recorded_step(plan, plan.measured.measurement)
        return StepTime(micro_batches, Interval.exact(0), rates)
    hardware = plan.require("hardware")
    rows = plan.require("effective_batch_size") * plan.training.objective.rows
    tokens = plan.row_tokens.expected * rows / plan.training.gradient_accumulation
    rate = Interval(measured / MEASURED_ERROR.high, measured, measured / MEASURED_ERROR.low)
    return StepTime(MEASURED_ERROR * (tokens / (measured * hardware.gpus)), Interval.exact(0), rate)
