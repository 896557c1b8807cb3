"""How long a job takes to stop in good order, once the service tells it to."""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog.limits import STOP_SECONDS
from hbspec.estimators.job.phases import save, sync
from hbspec.estimators.job.time import usual_step
from hbspec.estimators.step.duration import micro_batch
from hbspec.plan import Plan
from hbspec.units import Interval

GRACE_SECONDS = STOP_SECONDS - 5
"""What the shipped launcher leaves the ranks (`templates/launcher.py`); the rest is for the end of the container."""


class Stop(NamedTuple):
    """Seconds from SIGTERM to the end.

    Attributes:
        micro_batch: that is under way, with the optimizer's update.
        checkpoint: written, and copied to where it outlives the instance.
    """

    micro_batch: Interval
    checkpoint: Interval

    @property
    def total(self) -> Interval:
        """Seconds of both."""
        return self.micro_batch + self.checkpoint


def stop(plan: Plan) -> Stop:
    """What the shipped script does on SIGTERM: it ends the current micro-batch and saves the last finished update.

    A whole micro-batch counts, since the signal may come at its beginning: at its high end one of the longest row. So
    does the whole copy to S3: SageMaker copies while the job runs and after its end, and for a spot instance whose two
    minutes are over no more time is promised. Left out: gathering of what is sharded, and the wait for a batch of an
    evaluation, which is shorter.

    Raises:
        NotKnownError: as `hbspec.estimators.job.time.time`, or what is trained is not known.
    """
    hardware = plan.require("hardware")
    size = plan.require("checkpoint_bytes")
    usual = usual_step(plan)
    batch = Interval(usual.micro_batch.low, usual.micro_batch.expected, _longest(plan, usual.micro_batch.high))
    copied = sync(size) if plan.checkpoints_survive else Interval.exact(0)
    return Stop(batch + usual.update, save(size, hardware) + copied)


def _longest(plan: Plan, usual: float) -> float:
    """Seconds of a micro-batch that holds the longest row; at the author's own rate, in proportion to its tokens."""
    longest = plan.lengths.cut(plan.training.max_length).longest.high
    tokens = max(longest, plan.padded_row_tokens.high)
    if plan.measured_tokens_per_second is not None:
        return usual * max(1.0, tokens / plan.row_tokens.expected)
    return max(usual, micro_batch(plan, tokens).seconds().high)
