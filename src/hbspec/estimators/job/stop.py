"""The time that a job takes to stop in good order after SIGTERM."""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog.limits import STOP_SECONDS
from hbspec.estimators.job.phases import save, sync
from hbspec.estimators.job.rollouts import rolled
from hbspec.estimators.job.step_time import is_measured, micro_batch_seconds, usual_step
from hbspec.plan import Plan
from hbspec.units import Interval

GRACE_SECONDS = STOP_SECONDS - 5
"""Seconds that the shipped launcher gives the ranks (`templates/launcher.py`); the rest is for the container to end."""


class Stop(NamedTuple):
    """Seconds from SIGTERM to the end.

    Attributes:
        micro_batch: seconds to finish the current micro-batch and the optimizer's update.
        checkpoint: seconds to write the checkpoint, and to copy it to S3.
    """

    micro_batch: Interval
    checkpoint: Interval

    @property
    def total(self) -> Interval:
        """Seconds of the micro-batch and the checkpoint together."""
        return self.micro_batch + self.checkpoint


def stop(plan: Plan) -> Stop:
    """Seconds that the shipped script takes on SIGTERM to finish the current micro-batch and save the last update.

    A whole micro-batch is counted, since the signal may arrive at its beginning; its high end is a micro-batch of the
    longest row. The whole copy to S3 is counted as well: SageMaker copies while the job runs and after its end, and
    guarantees a spot instance no time beyond its two minutes. Left out: gathering of sharded states, and the wait for a
    batch of an evaluation, which is shorter.

    Raises:
        NotKnownError: as for `hbspec.estimators.job.time.time`, or the trainable parameters are not known.
    """
    hardware = plan.require("hardware")
    size = plan.require("checkpoint_bytes")
    usual = usual_step(plan)
    batch = Interval(usual.micro_batch.low, usual.micro_batch.expected, _longest(plan, usual.micro_batch.high))
    if plan.training.rollouts is not None:  # of which a micro-batch has its share, and the one that begins it waits
        batch += Interval(0.0, 0.0, rolled(plan, plan.training.rollouts, plan.padded_row_tokens.high).total.high)
    copied = sync(size) if plan.checkpoints_survive else Interval.exact(0)
    return Stop(batch + usual.update, save(size, hardware) + copied)


def _longest(plan: Plan, usual: float) -> float:
    """Seconds of a micro-batch with the longest row; at a measured rate, in proportion to its tokens."""
    longest = plan.lengths.cut(plan.training.max_length).longest.high
    tokens = max(longest, plan.padded_row_tokens.high)
    if is_measured(plan):
        return usual * max(1.0, tokens / plan.row_tokens.expected)
    return max(usual, micro_batch_seconds(plan, tokens).high)
