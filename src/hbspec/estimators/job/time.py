"""The time of a step and of a job, phase by phase, and the billed part of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from hbspec.catalog.limits import DEFAULT_RUNTIME_SECONDS, STOP_SECONDS
from hbspec.estimators.constants import MEASURED_ERROR, OBJECTIVE_ERROR, STEP, StepConstants
from hbspec.estimators.job.bounded import SPEED, require_speed, span, spanned, widened
from hbspec.estimators.job.interruptions import WAITS, interruptions
from hbspec.estimators.job.measured import recorded_step
from hbspec.estimators.job.paging import paging_seconds
from hbspec.estimators.job.phases import AFTER_STEPS, phases_around_steps
from hbspec.estimators.job.rollouts import rolled, rolled_of_an_update
from hbspec.estimators.step.duration import micro_batch, update
from hbspec.plan import Between, Plan
from hbspec.plan.counts import micro_batches_per_epoch
from hbspec.plan.plan import EXPECTED
from hbspec.units import Interval

NOT_BILLED = frozenset({"startup", WAITS})
"""SageMaker bills from TrainingStartTime to TrainingEndTime, including the download of the container and of the data
and the upload of the model ("you are billed for the time interval between this time and the value of
TrainingEndTime … the time after model artifacts are uploaded", API reference, DescribeTrainingJob)."""

UPLOAD = "upload"

GRACE = Interval(0, STOP_SECONDS, STOP_SECONDS)
"""Seconds that a job may run beyond its limit to save ("SIGTERM … delays job termination for 120 seconds", API
reference, StoppingCondition); 0 for a job that exits at once."""


class Time(NamedTuple):
    """The time of a job to its end, and the billed part where a limit may stop the job earlier.

    Attributes:
        step_seconds: seconds of one full update of average rows.
        phases: seconds by phase, in order, regardless of the limit.
        tokens_per_second_per_gpu: real tokens (without padding) per second and GPU, including idle GPUs.
        limit: seconds after which the service stops the job; None without a limit.
        rolled: of an update's seconds, those of generating and of scoring what it trains on; empty without rollouts.
    """

    step_seconds: Interval
    phases: Mapping[str, Interval]
    tokens_per_second_per_gpu: Interval
    limit: float | None = None
    rolled: Mapping[str, Interval] = {}

    @property
    def total_seconds(self) -> Interval:
        """Seconds from the request to the result."""
        return sum(self.phases.values(), Interval.exact(0))

    @property
    def may_be_stopped(self) -> bool:
        """Whether the limit may stop the job; the upload does not count, as it also follows a stop."""
        return self.stopped_at("high")

    def stopped_at(self, end: Literal["low", "expected", "high"]) -> bool:
        """Whether the limit stops the job if it takes as long as at this end of the interval."""
        return self.limit is not None and bool(getattr(self._running(), end) > self.limit)

    @property
    def to_the_end(self) -> Time:
        """The time of the job without a limit."""
        return self._replace(limit=None)

    @property
    def billed_seconds(self) -> Interval:
        """Billed seconds per instance: the running time up to the limit plus `GRACE`, and the upload."""
        running, upload = self._running(), self.phases.get(UPLOAD, Interval.exact(0))
        if self.limit is None:
            return running + upload
        end = GRACE + self.limit
        return upload + Interval(
            min(running.low, end.low), min(running.expected, end.expected), min(running.high, end.high)
        )

    def _running(self) -> Interval:
        apart = (*NOT_BILLED, UPLOAD)
        return sum((took for name, took in self.phases.items() if name not in apart), Interval.exact(0))

    def to_dict(self) -> dict[str, Any]:
        """The `time` of `hbspec estimate --format json`; seconds."""
        return {
            "step_seconds": self.step_seconds.to_dict(),
            **({"rolled": {name: took.to_dict() for name, took in self.rolled.items()}} if self.rolled else {}),
            "total_seconds": self.total_seconds.to_dict(),
            "billed_seconds": self.billed_seconds.to_dict(),
            "limit_seconds": self.limit,
            "may_be_stopped": self.may_be_stopped,
            "expected_to_be_stopped": self.stopped_at("expected"),
            "tokens_per_second_per_gpu": self.tokens_per_second_per_gpu.to_dict(),
            "phases": {
                name: {**took.to_dict(), "billed": name not in NOT_BILLED} for name, took in self.phases.items()
            },
        }


def time(plan: Plan, constants: StepConstants = STEP) -> Time:
    """The time of a plan.

    steps = micro-batches per process x seconds of each + updates x seconds of each, with rows of the mean length.

    Raises:
        NotKnownError: counts, architecture, hardware, optimizer, the GPU's speed, or the network is not known.
    """
    if plan.between is not None:
        return _bounded(plan, plan.between, constants)
    usual = _undisturbed(plan, constants)
    if plan.loops:
        ends = [_undisturbed(one, constants).phases for one in plan.ends]
        usual = usual._replace(phases=spanned([usual.phases, *ends], usual.phases))
    return interrupted(usual, plan)


def _undisturbed(plan: Plan, constants: StepConstants) -> Time:
    """The time on demand, over the packed rows that are expected."""
    counts, step = plan.require("counts"), usual_step(plan, constants)
    around = phases_around_steps(plan)
    before = {name: took for name, took in around.items() if name not in AFTER_STEPS}
    after = {name: took for name, took in around.items() if name in AFTER_STEPS}
    steps = step.micro_batch * counts.micro_batches + step.update * counts.optimizer_steps
    phases = {**before, **_precomputation(plan, constants), "steps": steps, **_evaluation(plan, constants), **after}
    whole = step.micro_batch * plan.training.gradient_accumulation + step.update
    apart = {} if is_measured(plan) else rolled_of_an_update(plan, constants)
    return Time(whole, phases, step.tokens_per_second_per_gpu, runtime_limit(plan), apart)


def interrupted(undisturbed: Time, plan: Plan) -> Time:
    """The time of a plan, from its time on demand: with what interruptions add where it is a spot job.

    Raises:
        NotKnownError: as `hbspec.estimators.job.interruptions.interruptions`.
    """
    phases = undisturbed.phases
    return undisturbed._replace(phases={**phases, **interruptions(plan, phases)})


def _bounded(plan: Plan, between: Between, constants: StepConstants) -> Time:
    """The time over all models that bound one; at a measured rate, its steps take what they were measured to take."""
    measured = is_measured(plan)
    if not measured:
        require_speed(between)
    found = [time(one._replace(measured=plan.measured), constants) for one in between.plans]
    usual = found[EXPECTED]
    if not measured:
        found = [one._replace(phases=widened(one.phases), step_seconds=one.step_seconds * SPEED) for one in found]
    steps = span([one.step_seconds for one in found], usual.step_seconds)
    rates = span([one.tokens_per_second_per_gpu for one in found], usual.tokens_per_second_per_gpu)
    if not measured:
        rates = Interval(rates.low / SPEED.high, rates.expected, rates.high / SPEED.low)
    return Time(steps, spanned([one.phases for one in found], usual.phases), rates, usual.limit)


def runtime_limit(plan: Plan) -> float | None:
    """Seconds after which SageMaker stops a job: `max_runtime` or its default; None on hardware described by hand.

    All attempts of a spot job count together. Left out: `max_wait`, which is at least as long and includes waiting.
    """
    if plan.hardware is None or plan.hardware.instance is None:
        return None
    return plan.max_runtime or DEFAULT_RUNTIME_SECONDS


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
    found = _by_length(plan, constants, backward=True)
    accumulation = plan.training.gradient_accumulation
    # rates are highest for long rows, so the extremes over all lengths are taken
    rates = [
        [rows * tokens / gpus / seconds for seconds in _ends(batch * accumulation + once)]
        for tokens, batch in zip(_ends(real), found, strict=True)
    ]
    slowest, fastest = min(rate[2] for rate in rates), max(rate[0] for rate in rates)
    return StepTime(_over_lengths(found), once, Interval(slowest, rates[1][1], fastest))


def _ends(interval: Interval) -> tuple[float, float, float]:
    return interval.low, interval.expected, interval.high


def _by_length(plan: Plan, constants: StepConstants, *, backward: bool) -> list[Interval]:
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


def _precomputation(plan: Plan, constants: StepConstants) -> Mapping[str, Interval]:
    """Seconds of a reference's passes over all examples before the steps.

    TRL computes them in micro-batches as large as those of training (1.16.0, `dpo_trainer.py`,
    `precompute_ref_batch_size`). Left out: the examples of a validation split, and what is read from an earlier run.
    """
    objective = plan.training.objective
    if not objective.forwards_before:
        return {}
    batches = plan.require("counts").micro_batches_per_epoch * objective.forwards_before
    lengths = _ends(plan.padded_row_tokens)
    found = [micro_batch(plan, length, backward=False).seconds(constants) for length in lengths]
    return {"reference": _over_lengths(found) * (batches * OBJECTIVE_ERROR)}


def _over_lengths(found: list[Interval]) -> Interval:
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


def _evaluation(plan: Plan, constants: StepConstants) -> Mapping[str, Interval]:
    """Seconds of all evaluations: a forward pass over each process's share of the validation examples.

    Validation rows are taken to be as long as training rows, padded within their own micro-batches.
    """
    times = plan.evaluations
    if not times or not plan.validation_examples:
        return {}
    ranks, training = plan.require("data_parallel_size"), plan.training
    size = training.eval_batch or training.micro_batch
    rows = micro_batches_per_epoch(plan.validation_examples, size, ranks)
    if training.rollouts is not None:  # each prompt has as many completions, and each micro-batch a generation
        rows = micro_batches_per_epoch(plan.validation_examples * training.rollouts.group, size, ranks)
        training = training._replace(rollouts=training.rollouts._replace(steps=1, iterations=1))
    if size != training.micro_batch or training.rollouts is not None:
        cut, each = plan.lengths.cut(training.max_length), training.objective.rows
        padded = plan.padded_row_tokens if training.packing else cut.padded(size * each)
        plan = plan._replace(training=training._replace(micro_batch=size), padded_row_tokens=padded)
    batch = _over_lengths(_by_length(plan, constants, backward=False))
    return {"evaluation": batch * (times * rows)}
