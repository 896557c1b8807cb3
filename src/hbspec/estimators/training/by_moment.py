"""The tensors of each GPU of a host at every moment of a job, not only at the peak."""

from __future__ import annotations

from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.moment import Moment
from hbspec.estimators.training.memory import longest_tokens
from hbspec.estimators.training.stages import stages_of
from hbspec.estimators.training.tensors import largest_of_each
from hbspec.plan import Plan


def by_moment(plan: Plan) -> tuple[tuple[Moment, ...], ...]:
    """The largest moment of each name, for each GPU of a host; none for a GPU that no process uses.

    Tensors alone, with the expected length of the longest row: the CUDA context, communicators and what the allocator
    reserves beside them are left out.

    Raises:
        NotKnownError: as `memory`; also for a model of which only bounds are known.
    """
    job, tokens = job_of(plan), longest_tokens(plan)
    stages = stages_of(job, plan.require("hardware"))
    return tuple(largest_of_each(job, stage, tokens) if stage else () for stage in stages)
