"""The time of a step at the rate at which the same job was measured.

rate = tokens of all timed updates / their seconds. The interval spans the slowest and the fastest of these updates,
`MEASURED_ERROR`, and what the rate may change by where a micro-batch has other tokens than the measured ones
(`hbspec.plan.calibration.NEAR`). The work of an update itself is spread over its micro-batches. Left out: evaluations,
which stay estimated, and clocks that fall when a GPU has run hot for longer than the measured updates.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from hbspec.diagnostics import NotKnownError
from hbspec.estimators.constants import MEASURED_ERROR, REACHED
from hbspec.estimators.step.flops import micro_batch_flops
from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.positions import program_at
from hbspec.estimators.step.speed import peak
from hbspec.estimators.training.measured import contradictions
from hbspec.estimators.training.memory import memory
from hbspec.plan import Plan
from hbspec.plan.calibration import applied, length_ratio
from hbspec.plan.measurement import Measurement
from hbspec.units import Interval, significant


def recorded_step(plan: Plan, measurement: Measurement) -> tuple[Interval, Interval]:
    """Seconds of a micro-batch with its share of the update, and real tokens per second and GPU.

    Raises:
        NotKnownError: the hardware or the effective batch size is not known.
    """
    updates, ratio = measurement.updates, length_ratio(measurement, plan)
    rate = sum(update.tokens for update in updates) / sum(update.seconds for update in updates)
    slowest, fastest = min(update.rate for update in updates), max(update.rate for update in updates)
    tokens = plan.padded_row_tokens * plan.training.rows
    seconds = Interval(
        tokens.low / (fastest * ratio) * MEASURED_ERROR.low,
        tokens.expected / rate,
        tokens.high * ratio / slowest * MEASURED_ERROR.high,
    )
    rows = plan.require("effective_batch_size") / plan.training.gradient_accumulation
    real = plan.row_tokens.expected * rows / plan.require("hardware").gpus
    return seconds, Interval(real / seconds.high, real / seconds.expected, real / seconds.low)


def calibrated(plan: Plan, measurement: Measurement, *, shipped: bool) -> Plan:
    """The plan with a measurement, of which only that applies which contradicts neither the GPU nor the tensors.

    Args:
        plan: the plan, as it is without it.
        measurement: as read from a record.
        shipped: whether the job runs the shipped script.
    """
    found = applied(measurement, plan, shipped=shipped)
    if found.memory:
        with suppress(NotKnownError):  # then nothing is estimated that a measurement could replace
            found = found._replace(not_memory=tuple(contradictions(measurement, memory(plan))))
    if found.speed:
        found = found._replace(not_speed=tuple(_too_fast(plan, measurement)))
    return plan._replace(measured=found)


def _too_fast(plan: Plan, measurement: Measurement) -> Iterator[str]:
    """A rate above what the GPU computes at the peak of its data sheet; none where its speed is not known."""
    tokens, dtype = plan.padded_row_tokens.expected, plan.training.compute_dtype
    try:
        job, gpu = job_of(plan), plan.require("hardware").gpu
        flops = micro_batch_flops(job.architecture, plan.training, tokens, program=program_at(job, tokens))
        least = flops.products / job.tensor_parallel / (peak(gpu, dtype) * max(1.0, REACHED.get(gpu.name, 1.0)))
    except NotKnownError:
        return
    fastest = max(update.rate for update in measurement.updates)
    most = plan.training.rows * tokens / least if least else fastest
    if fastest > most * length_ratio(measurement, plan):
        yield (
            f"speed: {significant(fastest)} tokens/s of a process measured, but this GPU computes at most "
            f"{significant(most)} at its peak"
        )
