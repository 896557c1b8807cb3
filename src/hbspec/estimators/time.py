"""How long a step and a job take, phase by phase, and what of it is billed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hbspec.diagnostics import known
from hbspec.estimators.constants import MEASURED_ERROR, STEP_TIME_ERROR
from hbspec.estimators.phases import phases_around_steps
from hbspec.estimators.step import micro_batch, update_seconds
from hbspec.plan import Plan
from hbspec.plan.counts import micro_batches_per_epoch
from hbspec.units import Interval

NOT_BILLED = frozenset({"startup"})
"""SageMaker bills from TrainingStartTime to TrainingEndTime: the download of the container and of the data is inside,
and so is the upload of the model ("you are billed for the time interval between this time and the value of
TrainingEndTime … the time after model artifacts are uploaded", API reference, DescribeTrainingJob)."""


@dataclass(frozen=True, slots=True)
class Time:
    """What a job takes.

    Attributes:
        step_seconds: one full update of mean rows.
        phases: seconds by phase, in order.
        tokens_per_second_per_gpu: real tokens (no padding) over all GPUs of the job, idle ones too.
    """

    step_seconds: Interval
    phases: Mapping[str, Interval]
    tokens_per_second_per_gpu: Interval

    @property
    def total_seconds(self) -> Interval:
        """From the request to the result."""
        return sum(self.phases.values(), Interval.exact(0))

    @property
    def billed_seconds(self) -> Interval:
        """What each instance is paid for."""
        return sum((took for name, took in self.phases.items() if name not in NOT_BILLED), Interval.exact(0))

    def to_dict(self) -> dict[str, Any]:
        """The `time` of `hbspec estimate --format json`; seconds."""
        return {
            "step_seconds": self.step_seconds.to_dict(),
            "total_seconds": self.total_seconds.to_dict(),
            "billed_seconds": self.billed_seconds.to_dict(),
            "tokens_per_second_per_gpu": self.tokens_per_second_per_gpu.to_dict(),
            "phases": {
                name: {**took.to_dict(), "billed": name not in NOT_BILLED} for name, took in self.phases.items()
            },
        }


def time(plan: Plan) -> Time:
    """The time of a plan.

    steps = micro-batches of a process x seconds of one + updates x seconds of one, with rows of the mean length (the
    square of the lengths in attention makes uneven rows a little slower; that is left out), times the error that was
    seen against measurements.

    Raises:
        NotKnownError: counts, architecture, hardware, optimizer, the GPU's speed, or the network is not known.
    """
    counts = known(plan.counts, plan.unknown.get("counts", "the counts"))
    batches, update = _measured(plan) or (
        micro_batch_seconds(plan),
        Interval.exact(update_seconds(plan)) * STEP_TIME_ERROR,
    )
    around = phases_around_steps(plan)
    before = {name: took for name, took in around.items() if name not in ("checkpoints", "upload")}
    after = {name: took for name, took in around.items() if name not in before}
    steps = batches * counts.micro_batches + update * counts.optimizer_steps
    step = batches * plan.training.gradient_accumulation + update
    return Time(step, {**before, "steps": steps, **_evaluation(plan, batches), **after}, _rate(plan, step))


def micro_batch_seconds(plan: Plan) -> Interval:
    """Seconds of one micro-batch over the lengths that rows may have and the error of the estimate.

    Raises:
        NotKnownError: as `time`.
    """
    tokens = plan.padded_row_tokens
    expected = micro_batch(plan, tokens.expected).seconds
    low, high = (
        expected if length == tokens.expected else micro_batch(plan, length).seconds
        for length in (tokens.low, tokens.high)
    )
    return Interval(low, expected, high) * STEP_TIME_ERROR


def _measured(plan: Plan) -> tuple[Interval, Interval] | None:
    """Seconds of a micro-batch out of the author's own rate, with the update inside; None where there is none."""
    if plan.measured_tokens_per_second is None:
        return None
    hardware = known(plan.hardware, plan.unknown.get("hardware", "the hardware"))
    rows = known(plan.effective_batch_size, plan.unknown.get("counts", "the effective batch"))
    tokens = plan.row_tokens.expected * rows / plan.training.gradient_accumulation
    return MEASURED_ERROR * (tokens / (plan.measured_tokens_per_second * hardware.gpus)), Interval.exact(0)


def _evaluation(plan: Plan, batches: Interval) -> Mapping[str, Interval]:
    """Seconds of all evaluations: the forward part of a micro-batch for each of a process's share of the examples.

    Of 2 N FLOPs each, a step with frozen weights is a forward, a backward to the inputs and, with checkpointing, a
    forward again; with trained weights there is one more. Validation rows are taken to be as long as training rows.
    """
    if not plan.evaluations or not plan.validation_examples:
        return {}
    training = plan.training
    ranks = known(plan.data_parallel_size, plan.unknown.get("counts", "the data-parallel size"))
    rows = micro_batches_per_epoch(plan.validation_examples, training.micro_batch, ranks)
    passes = 2 + training.gradient_checkpointing + (not training.adapters)
    return {"evaluation": batches * (plan.evaluations * rows / passes)}


def _rate(plan: Plan, step: Interval) -> Interval:
    """Real tokens a second on each GPU; long rows are the faster ones, so both ends are tried."""
    gpus = known(plan.hardware, plan.unknown.get("hardware", "the hardware")).gpus
    rows = known(plan.effective_batch_size, plan.unknown.get("counts", "the effective batch")) / gpus
    rates = [
        rows * tokens / seconds * error
        for tokens, seconds, error in (
            (plan.row_tokens.low, step.low, STEP_TIME_ERROR.low),
            (plan.row_tokens.high, step.high, STEP_TIME_ERROR.high),
        )
    ]
    expected = rows * plan.row_tokens.expected / step.expected
    slowest, fastest = min(rates) / STEP_TIME_ERROR.high, max(rates) / STEP_TIME_ERROR.low
    return Interval(min(slowest, expected), expected, max(fastest, expected))
