"""The moments of an evaluation on one GPU: no gradients, no layer's activations, but all logits of its own batch.

The trainer asks for the loss alone (transformers 5.23.0, `Trainer.evaluate`, `prediction_loss_only` without
`compute_metrics`), so nothing of a micro-batch is left to the next. Left out: what `compute_metrics` gathers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from hbspec.estimators.step.job import Job, rows_of
from hbspec.estimators.step.lifetimes.evaluation import Evaluation, evaluating, evaluation_run
from hbspec.estimators.step.lifetimes.kinds import Kinds, kinds
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.model import BEFORE, LOSS
from hbspec.estimators.step.loss import fused_forward_bytes
from hbspec.estimators.step.microbatch import shared_bytes
from hbspec.estimators.step.moment import Moment, Part, moment, part, sized
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.positions import (
    buffer_bytes,
    computed_tokens,
    positions_bytes,
    program_at,
    row_tokens,
    spare_mask_bytes,
)
from hbspec.estimators.step.sharding import sharding_of
from hbspec.estimators.step.slots import Slots
from hbspec.estimators.step.states import states_of

EVALUATION = "evaluation"

NONE = part({})


def evaluated_job(job: Job) -> Job | None:
    """The job as its evaluations run it, with rows that differ in length; None where it evaluates nothing."""
    training = job.training
    if training.eval_batch is None:
        return None
    packing = training.packing and training.eval_packing
    training = training._replace(micro_batch=training.eval_batch, gradient_accumulation=1, packing=packing)
    rows = training.micro_batch > 1 and not training.joined
    made_for = rows_of(job.architecture, training)
    program = evaluating(job.program)._replace(several_rows=rows, padded=rows or training.joined, rows=made_for)
    return job._replace(training=training, program=program)


def evaluation_moments(job: Job, stage: Stage, tokens: int) -> Iterator[Moment]:
    """Every moment of an evaluation's micro-batch that can be the largest.

    Args:
        job: the job as `evaluated_job` has it.
        stage: what this GPU computes on.
        tokens: T, tokens of each row: as long as the longest row that is trained.
    """
    states = states_of(job, stage)
    n = job.training.micro_batch * computed_tokens(job, tokens)
    around = {**states.computing, "inputs": 24 * n + buffer_bytes(job)}
    gathered = {"gathered_weights": states.kept_gathered * max(0, stage.layers - 1)}
    parts = (states.weights, states.trained, around, states.forward, gathered, shared_by_layers(job, stage, tokens))
    yield from passing(EVALUATION, job, stage, tokens, [*map(part, parts)])


def shared_by_layers(job: Job, stage: Stage, tokens: int) -> Mapping[str, int]:
    """Bytes of positions and masks, which a model makes once for all its layers."""
    computed = computed_tokens(job, tokens)
    masks = sum(shared_bytes(job, stage, computed)[3:]) + spare_mask_bytes(job, computed)
    return {"positions": positions_bytes(job, tokens), "masks": masks}


def passing(
    name: str, job: Job, stage: Stage, tokens: int, beside: Sequence[Part], shared: Part = NONE
) -> Iterator[Moment]:
    """Every moment of a forward pass without differentiation that can be the largest.

    Args:
        name: of the moments.
        job: the job, with the program of the pass.
        stage: what this GPU computes on.
        tokens: T, tokens of each row.
        beside: what is there all the time.
        shared: what is there until the last layer is done.
    """
    tokens = computed_tokens(job, tokens)
    n, row = job.training.micro_batch * tokens, row_tokens(job, tokens)
    run, found = _run(job, tokens), kinds(job.architecture, program_at(job, tokens))

    def left(end: int) -> list[Part]:
        numbers = found.numbers(stage.first, end).items()
        return [part({name: times * size.at(n, row) for name, size in run.left[at].items()}) for at, times in numbers]

    for at, position in _last_of_each(found, stage):
        there = *beside, shared, *left(position)
        for peak in run.forward[at]:
            yield moment(name, *there, sized(peak, n, row))
    there = *beside, *left(stage.last)
    if stage.head:
        for peak in run.loss:
            yield moment(name, *there, sized(peak, n, row))
    if stage.head and not job.training.whole_logits:
        yield moment(name, *there, part(_fused_bytes(job, n)))


def _run(job: Job, tokens: int) -> Evaluation:
    return evaluation_run(job.architecture, program_at(job, tokens))


def _last_of_each(found: Kinds, stage: Stage) -> Iterator[tuple[int, int]]:
    """Layers that were run, each with the position of the last layer of the stage that it stands for."""
    positions = {0 if at == 0 else 1 + found.of[at]: at for at in range(stage.first, stage.last)}
    yield from positions.items()


def _fused_bytes(job: Job, tokens: int) -> Mapping[str, int]:
    """Norm, fused head and loss; the norm holds nothing for a way back."""
    found = fused_forward_bytes(job.architecture, job.precision, job.training, tokens)
    normed = job.precision.stream * tokens * job.architecture.hidden_size
    return {**found, "final_norm": normed} if "final_norm" in found else found


def evaluation(job: Job, stage: Stage, tokens: int) -> Slots:
    """What an evaluation's micro-batch asks for and lets go of.

    It holds at every length at which the same program runs (`hbspec.estimators.step.moments.program_at`). Of layers
    that are alike a few are followed: those behind them find their blocks free. What they leave is one block.

    Args:
        job: the job as `evaluated_job` has it.
        stage: what this GPU computes on.
        tokens: of each row.
    """
    run, found, slots = _run(job, tokens), kinds(job.architecture, program_at(job, tokens)), Slots()
    made = _Storages(slots, run.sizes)
    sharding = sharding_of(job, stage, slots, None)
    shared, fused = slots.given(given_evaluation_bytes(job, stage, tokens))
    slots.taken(shared)
    sharding.begin()
    if stage.embedding:
        made.follow(run.events[BEFORE])
    followed = {*range(stage.first, stage.last)[:2], *(position for _, position in _last_of_each(found, stage))}
    for layer in range(stage.first, stage.last):
        at = 0 if layer == 0 else 1 + found.of[layer]
        if layer not in followed:
            slots.taken(run.left[at].values())
            continue
        sharding.forward(layer)
        made.follow(run.events[f"forward {at}"])
        sharding.forwarded(layer)
    if stage.head:
        made.follow(run.events[LOSS])
        slots.taken(fused)
    slots.let_go(list(slots.alive))
    return slots


def given_evaluation_bytes(job: Job, stage: Stage, tokens: int) -> tuple[list[int], list[int]]:
    """Bytes that are given with a length: what layers share, and what a fused loss needs."""
    n = job.training.micro_batch * tokens
    return shared_bytes(job, stage, tokens), [] if job.training.whole_logits else [*_fused_bytes(job, n).values()]


class _Storages:
    """The storages of a run as blocks.

    Args:
        slots: where they come and go.
        sizes: of each.
    """

    def __init__(self, slots: Slots, sizes: Sequence[Form]) -> None:
        self._slots, self._sizes = slots, sizes
        self._made: dict[int, int] = {}

    def follow(self, events: Iterable[int]) -> None:
        """Storages come, by their number, or go, by its complement; what is there already is made anew."""
        for event in events:
            old = self._made.pop(max(event, ~event), None)
            if old is not None:
                self._slots.gone(old)
            if event >= 0:
                self._made[event] = self._slots.come(self._sizes[event])
