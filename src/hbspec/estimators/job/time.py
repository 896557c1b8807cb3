"""How long a step and a job take, phase by phase, and what of it is billed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from hbspec.catalog.limits import DEFAULT_RUNTIME_SECONDS, STOP_SECONDS
from hbspec.estimators.constants import MEASURED_ERROR, STEP, StepConstants
from hbspec.estimators.job.interruptions import WAITS, interruptions
from hbspec.estimators.job.phases import AFTER_STEPS, phases_around_steps
from hbspec.estimators.step.duration import micro_batch, update_seconds
from hbspec.plan import Plan
from hbspec.plan.counts import micro_batches_per_epoch
from hbspec.units import Interval

NOT_BILLED = frozenset({"startup", WAITS})
"""SageMaker bills from TrainingStartTime to TrainingEndTime: the download of the container and of the data is inside,
and so is the upload of the model ("you are billed for the time interval between this time and the value of
TrainingEndTime … the time after model artifacts are uploaded", API reference, DescribeTrainingJob)."""

UPLOAD = "upload"

GRACE = Interval(0, STOP_SECONDS, STOP_SECONDS)
"""Seconds that a job may run beyond its limit, to save ("SIGTERM … delays job termination for 120 seconds", API
reference, StoppingCondition). A job that exits at once needs none of them."""


class Time(NamedTuple):
    """What a job takes to its end, and what of it is billed where a limit stops it before.

    Attributes:
        step_seconds: one full update of mean rows.
        phases: seconds by phase, in order, whatever the limit.
        tokens_per_second_per_gpu: real tokens (no padding) over all GPUs of the job, idle ones too.
        limit: seconds after which the service stops the job; None where nothing does.
    """

    step_seconds: Interval
    phases: Mapping[str, Interval]
    tokens_per_second_per_gpu: Interval
    limit: float | None = None

    @property
    def total_seconds(self) -> Interval:
        """From the request to the result."""
        return sum(self.phases.values(), Interval.exact(0))

    @property
    def may_be_stopped(self) -> bool:
        """Whether the limit may end the job; the upload is not counted, as it also comes after a stop."""
        return self.limit is not None and self._running().high > self.limit

    @property
    def to_the_end(self) -> Time:
        """The same job without a limit."""
        return self._replace(limit=None)

    @property
    def billed_seconds(self) -> Interval:
        """What each instance is paid for: all that runs, up to the limit and its grace, and the upload."""
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
            "total_seconds": self.total_seconds.to_dict(),
            "billed_seconds": self.billed_seconds.to_dict(),
            "limit_seconds": self.limit,
            "may_be_stopped": self.may_be_stopped,
            "tokens_per_second_per_gpu": self.tokens_per_second_per_gpu.to_dict(),
            "phases": {
                name: {**took.to_dict(), "billed": name not in NOT_BILLED} for name, took in self.phases.items()
            },
        }


def time(plan: Plan, constants: StepConstants = STEP) -> Time:
    """The time of a plan.

    steps = micro-batches of a process x seconds of one + updates x seconds of one, with rows of the mean length.

    Raises:
        NotKnownError: counts, architecture, hardware, optimizer, the GPU's speed, or the network is not known.
    """
    counts = plan.require("counts")
    step = usual_step(plan, constants)
    around = phases_around_steps(plan)
    before = {name: took for name, took in around.items() if name not in AFTER_STEPS}
    after = {name: took for name, took in around.items() if name in AFTER_STEPS}
    steps = step.micro_batch * counts.micro_batches + step.update * counts.optimizer_steps
    phases = {**before, "steps": steps, **_evaluation(plan, constants), **after}
    whole = step.micro_batch * plan.training.gradient_accumulation + step.update
    phases |= interruptions(plan, phases)
    return Time(whole, phases, step.tokens_per_second_per_gpu, runtime_limit(plan))


def runtime_limit(plan: Plan) -> float | None:
    """Seconds after which SageMaker stops a job: `max_runtime`, or its default; none on hardware described by hand.

    All attempts of a spot job count together. Left out: `max_wait`, which is no shorter and covers waiting too.
    """
    if plan.hardware is None or plan.hardware.instance is None:
        return None
    return plan.max_runtime or DEFAULT_RUNTIME_SECONDS


class Step(NamedTuple):
    """Seconds of a micro-batch and of an update, and real tokens a second on each GPU, idle ones too."""

    micro_batch: Interval
    update: Interval
    tokens_per_second_per_gpu: Interval


def usual_step(plan: Plan, constants: StepConstants = STEP) -> Step:
    """A step at the author's own rate, else by the estimate.

    Raises:
        NotKnownError: as `time`.
    """
    return _measured(plan) or step_of(plan, constants)


def step_of(plan: Plan, constants: StepConstants = STEP) -> Step:
    """A step over the lengths that rows may have and the error of the estimate.

    Raises:
        NotKnownError: as `time`.
    """
    gpus = plan.require("hardware").gpus
    rows = plan.require("effective_batch_size")
    real, update = plan.row_tokens, Interval.exact(update_seconds(plan)) * constants.error
    found = _by_length(plan, constants, backward=True)
    accumulation = plan.training.gradient_accumulation
    # long rows are the faster ones, so every length is tried
    rates = [
        [rows * tokens / gpus / seconds for seconds in _ends(batch * accumulation + update)]
        for tokens, batch in zip(_ends(real), found, strict=True)
    ]
    slowest, fastest = min(rate[2] for rate in rates), max(rate[0] for rate in rates)
    return Step(_over_lengths(found), update, Interval(slowest, rates[1][1], fastest))


def _ends(interval: Interval) -> tuple[float, float, float]:
    return interval.low, interval.expected, interval.high


def _by_length(plan: Plan, constants: StepConstants, *, backward: bool) -> list[Interval]:
    """Seconds of a micro-batch of the shortest, expected and longest rows."""
    lengths = _ends(plan.padded_row_tokens)
    found = {length: micro_batch(plan, length, backward=backward).seconds(constants) for length in {*lengths}}
    return [found[length] for length in lengths]


def _over_lengths(found: list[Interval]) -> Interval:
    shortest, expected, longest = found
    return Interval(shortest.low, expected.expected, longest.high)


def _measured(plan: Plan) -> Step | None:
    """A step out of the author's own rate, with the update inside its micro-batches; None where there is none."""
    measured = plan.measured_tokens_per_second
    if measured is None:
        return None
    hardware = plan.require("hardware")
    rows = plan.require("effective_batch_size")
    tokens = plan.row_tokens.expected * rows / plan.training.gradient_accumulation
    rate = Interval(measured / MEASURED_ERROR.high, measured, measured / MEASURED_ERROR.low)
    return Step(MEASURED_ERROR * (tokens / (measured * hardware.gpus)), Interval.exact(0), rate)


def _evaluation(plan: Plan, constants: StepConstants) -> Mapping[str, Interval]:
    """Seconds of all evaluations: a forward pass for each of a process's share of the validation examples.

    Validation rows are taken to be as long as training rows, and as many at once.
    """
    if not plan.evaluations or not plan.validation_examples:
        return {}
    ranks = plan.require("data_parallel_size")
    rows = micro_batches_per_epoch(plan.validation_examples, plan.training.micro_batch, ranks)
    batch = _over_lengths(_by_length(plan, constants, backward=False))
    return {"evaluation": batch * (plan.evaluations * rows)}
