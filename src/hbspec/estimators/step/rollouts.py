"""What a GPU holds of completions that are trained on, and what a vLLM beside the training takes of it."""

from __future__ import annotations

from collections.abc import Mapping

from hbspec.catalog.dtypes import FLOAT32
from hbspec.estimators.step.job import Job
from hbspec.plan.rollouts import GENERATE
from hbspec.units import GIB, Interval

ENGINE = "vllm_engine"
"""What a vLLM takes that generates on the GPUs that train."""

ENGINE_OFF = Interval(-0.1, 0.0, 0.05)
"""How far a vLLM's memory may be from its share of the GPU, as a part of it. A belief: vLLM counts what it finds in use
when it starts, which differs from release to release."""

GRAPHS_BYTES = Interval(0.0, 0.0, 1.2 * GIB)
"""CUDA graphs of a vLLM, which its share leaves out; the high end is what its logs say of serving
(`hbspec.estimators.serving.constants.ENGINE`)."""

IDS = 8
"""Bytes of a token's id; a mask has as many (`torch.long`)."""


def engine_error(job: Job) -> Interval:
    """Bytes by which a colocated vLLM may take less or more than its share."""
    if not job.engine:
        return Interval.exact(0)
    off = ENGINE_OFF * job.engine
    return Interval(off.low, 0.0, off.high + GRAPHS_BYTES.high)


def awake(job: Job) -> Mapping[str, int]:
    """A colocated vLLM beside the training, unless it sleeps then."""
    asleep = job.training.rollouts is not None and job.training.rollouts.sleeps
    return {} if asleep or not job.engine else {ENGINE: job.engine}


def buffered_bytes(job: Job, tokens: int) -> int:
    """Bytes of the completions that wait to be trained on, and of the micro-batch that is.

    Ids and mask of every token, and log probabilities: of the model that generated, of the reference, and of vLLM with
    the ratio to them. Of the micro-batch again ids, mask and labels. Left out: that prompts have no log probabilities.
    """
    training, rollouts = job.training, job.training.rollouts
    if rollouts is None:
        return 0
    with_vllm = rollouts.old and rollouts.engine != GENERATE
    numbers = rollouts.old + bool(training.objective.reference) + 2 * with_vllm
    each = 2 * IDS + FLOAT32 * numbers
    return (each * rollouts.rows(training.micro_batch) + 3 * IDS * training.micro_batch) * tokens
