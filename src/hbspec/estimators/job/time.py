"""The time of a step and of a job, phase by phase, and the billed part of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from hbspec.catalog.limits import DEFAULT_RUNTIME_SECONDS, STOP_SECONDS
from hbspec.estimators.constants import OBJECTIVE_ERROR, STEP, StepConstants
from hbspec.estimators.job.bounded import SPEED, require_speed, span, spanned, widened
from hbspec.estimators.job.interruptions import WAITS, interruptions
from hbspec.estimators.job.phases import AFTER_STEPS, phases_around_steps
from hbspec.estimators.job.rollouts import rolled_of_an_update
from hbspec.estimators.job.step_time import by_length, is_measured, over_lengths, usual_step
from hbspec.estimators.step.duration import micro_batch
from hbspec.plan import Between, Plan
from hbspec.plan.counts import micro_batches_per_epoch
from hbspec.plan.data_loop import packed_rows
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


def _precomputation(plan: Plan, constants: StepConstants) -> Mapping[str, Interval]:
    """Seconds of a reference's passes over all examples before the steps.

    TRL computes them in micro-batches as large as those of training (1.16.0, `dpo_trainer.py`,
    `precompute_ref_batch_size`). Left out: the examples of a validation split, and what is read from an earlier run.
    """
    objective = plan.training.objective
    if not objective.forwards_before:
        return {}
    batches = plan.require("counts").micro_batches_per_epoch * objective.forwards_before
    row = plan.padded_row_tokens
    found = [
        micro_batch(plan, length, backward=False).seconds(constants) for length in (row.low, row.expected, row.high)
    ]
    return {"reference": over_lengths(found) * (batches * OBJECTIVE_ERROR)}


def _evaluation(plan: Plan, constants: StepConstants) -> Mapping[str, Interval]:
    """Seconds of all evaluations: a forward pass over each process's share of the validation rows.

    Validation examples are taken to be as long as those of training, packed where evaluations are, and else padded
    within their own micro-batches.
    """
    times, training = plan.evaluations, plan.training
    if not times or not plan.validation_examples:
        return {}
    size, rows = training.eval_batch or training.micro_batch, Interval.exact(plan.validation_examples)
    packing = training.packing and training.eval_packing
    training = training._replace(micro_batch=size, packing=packing)
    if packing:
        rows = packed_rows(plan.lengths, training, plan.validation_examples)
    if training.rollouts is not None:  # each prompt has as many completions, and each micro-batch a generation
        rows = rows * training.rollouts.group
        training = training._replace(rollouts=training.rollouts._replace(steps=1, iterations=1))
    ranks, together = plan.require("data_parallel_size"), size * training.objective.rows
    batches = rows.map(lambda rows: micro_batches_per_epoch(round(rows), size, ranks))
    evaluated = plan._replace(training=training)
    if not packing:
        cut = plan.lengths.cut(training.max_length)
        padded = cut.padded(together)
        uneven = cut.unevenness(together, padded.expected)
        evaluated = evaluated._replace(padded_row_tokens=padded, unevenness=uneven)
    batch = over_lengths(by_length(evaluated, constants, backward=False))
    return {"evaluation": batch * (batches * times)}
