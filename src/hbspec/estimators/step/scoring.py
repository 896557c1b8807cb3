"""The scoring of completions on one GPU: passes without gradients, in micro-batches as large as those of the updates.

The log probabilities are those of the model that generated, where it may move before they are trained on, and of the
reference; no layer leaves anything, and no logits are held whole. The model stays in training mode: its dropout draws.
Source: TRL 1.16.0, `grpo_trainer.py`, `_generate_and_score_completions`, `_get_per_token_logps_and_entropies`.
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.estimators.step.evaluation import passing, shared_by_layers
from hbspec.estimators.step.job import Job
from hbspec.estimators.step.lifetimes.evaluation import evaluating
from hbspec.estimators.step.moment import Moment, Part, joined, part
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.positions import buffer_bytes
from hbspec.estimators.step.reference import reference_job
from hbspec.estimators.step.rollouts import IDS, buffered_bytes
from hbspec.estimators.step.states import States, states_of
from hbspec.plan.objective import MODEL

SCORING = "scoring"
"""What the moments of the passes are called."""


def scoring_moments(job: Job, stage: Stage, tokens: int) -> Iterator[Moment]:
    """Every moment of the passes that can be the largest.

    Args:
        job: the job.
        stage: what this GPU computes on.
        tokens: T, tokens of each row: a prompt with its completion.
    """
    rollouts = job.training.rollouts
    if rollouts is None:
        return
    found, objective = [], job.training.objective
    if rollouts.old:
        found.append(job._replace(program=evaluating(job.program)._replace(dropout=job.program.dropout)))
    reference = reference_job(job)
    if reference is not None:
        found.append(reference)
    rows = rollouts.rows(job.training.micro_batch)
    # beside what is buffered in the end, prompts and completions are still there by themselves
    inputs = {"inputs": buffered_bytes(job, tokens) + 2 * IDS * rows * tokens + buffer_bytes(job)}
    for one in found:
        states = states_of(one, stage)
        twice = states.computing.get("gathered_weights", 0) if objective.reference == MODEL and rollouts.old else 0
        beside = [*between_updates(job, stage, states), part(inputs), part({"gathered_weights": twice})]
        yield from passing(SCORING, one, stage, tokens, beside, part(shared_by_layers(one, stage, tokens)))


def between_updates(job: Job, stage: Stage, states: States) -> Iterator[Part]:
    """What is there between two updates, and during a pass forward; gradients, where an update has begun."""
    rollouts = job.training.rollouts
    gathered = {"gathered_weights": states.kept_gathered * max(0, stage.layers - 1)}
    begun = rollouts is not None and rollouts.within_updates
    gradients = {"gradients": states.accumulated if begun else 0}
    yield joined(*map(part, (states.weights, states.trained, states.computing, states.forward, gathered, gradients)))
