"""The pass of a reference in a step: forward, beside everything that the step's own forward pass has left.

TRL's trainers ask the reference after the model itself, when autocast has let go of its copies of weights (1.16.0,
`dpo_trainer.py` and `kto_trainer.py`, `_compute_loss`). KTO's passes over mismatched answers have as many rows, and
less beside them. Left out: that tokens of prompts are not scored, as in `hbspec.estimators.step.loss`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hbspec.estimators.step.evaluation import passing, shared_by_layers
from hbspec.estimators.step.job import Job
from hbspec.estimators.step.lifetimes.evaluation import evaluating
from hbspec.estimators.step.loss import fused_held_bytes
from hbspec.estimators.step.moment import Moment, Part, Sized, joined, part
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.states import states_of
from hbspec.plan.objective import MODEL

COMPARED = "reference"
"""What the moments of the pass are called."""


def reference_job(job: Job) -> Job | None:
    """The job as its reference runs it; None where it has none.

    Without adapters a second model is one whose weights could all be trained; a copy of adapters runs as they do; and
    otherwise nothing of it could be trained.
    """
    if not job.training.objective.reference:
        return None
    program = evaluating(job.program)
    if not job.training.objective.copies:
        program = program._replace(targets=None if job.training.adapters else (), modules_to_save=())
    return job._replace(program=program)


def reference_moments(
    job: Job, stage: Stage, tokens: int, beside: Sequence[Part], logits: Sequence[Sized]
) -> Iterator[Moment]:
    """Every moment of the pass that can be the largest.

    Args:
        job: the job.
        stage: what this GPU computes on, with the head.
        tokens: T, tokens of each row.
        beside: what is there whatever the head leaves.
        logits: moments of a head that holds all logits, of which the largest is taken to stay.
    """
    found = reference_job(job)
    if found is None:
        return
    training, gathered = job.training, states_of(job, stage).computing.get("gathered_weights", 0)
    if training.whole_logits:
        largest = max(logits, key=lambda one: one.total)
        left = part(largest.terms)
    else:
        shape = job.architecture, job.precision, training, training.micro_batch * tokens
        left = part(fused_held_bytes(*shape))
    twice = part({"gathered_weights": gathered if training.objective.reference == MODEL else 0})
    shared = part(shared_by_layers(found, stage, tokens))
    yield from passing(COMPARED, found, stage, tokens, [joined(*beside), left, twice], shared)
