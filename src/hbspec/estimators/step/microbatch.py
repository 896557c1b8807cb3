"""One micro-batch of a model on one GPU, as a schedule of requests to an allocator and of blocks that are let go of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hbspec.estimators.step.job import Job
from hbspec.estimators.step.lifetimes.model import BEFORE, END, LOSS, LOSS_BACKWARD
from hbspec.estimators.step.lifetimes.program import mask_of
from hbspec.estimators.step.lifetimes.stream import BACKWARD, FORWARD, NOWHERE, Stream, stream
from hbspec.estimators.step.loss import LIGER_CHUNK, fused_backward_bytes, fused_forward_bytes
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.positions import positions_bytes, program_at, row_tokens, turned_rows
from hbspec.estimators.step.sharding import gathers, sharding_of
from hbspec.estimators.step.slots import Slots

WHOLE = 2
"""Layers alike that are followed request by request at either end, where not all of them are. Those between them ask
for the same sizes, and mostly get the blocks that the layer before them let go of: they are told by what they leave."""


def micro_batch(job: Job, stage: Stage, length: int, *, whole: bool) -> Slots:
    """What a micro-batch asks for and lets go of, forward and then back; the slots of gradients are kept.

    It holds at every length at which the same program runs (`hbspec.estimators.step.moments.program_at`).

    Args:
        job: the job.
        stage: what the GPU computes on.
        length: tokens of each row.
        whole: whether every layer is followed request by request.
    """
    program = program_at(job, length)
    if gathers(job):  # a micro-batch's gradients are reduced before they are added to those of earlier ones
        program = program._replace(accumulates=False)
    made = _MicroBatch(stream(job.architecture, program), whole=whole)
    sharding = sharding_of(job, stage, made, made.followed)
    shared, *losses = made.given(given_bytes(job, stage, length))
    around = made.taken(shared)
    checkpointing, layers = job.training.gradient_checkpointing, range(stage.first, stage.last)
    sharding.begin()
    if stage.embedding:
        made.phase(BEFORE)
    for layer in layers:
        sharding.forward(layer)
        made.phase(FORWARD, layer)
        sharding.forwarded(layer)
    if not checkpointing:
        made.let_go(around)
    if stage.head:
        made.phase(LOSS)
        for sizes in losses:
            made.let_go(made.taken(sizes))
    made.turn()
    if stage.head:
        made.phase(LOSS_BACKWARD)
    for layer in reversed(layers):
        sharding.backward(layer)
        made.phase(BACKWARD, layer)
        sharding.backwarded(layer, made.gradients((BACKWARD, layer)))
    if stage.embedding:
        made.phase(END)
    sharding.backwarded(NOWHERE, made.gradients((LOSS_BACKWARD, NOWHERE), (END, NOWHERE)))
    if checkpointing:
        made.let_go(around)
    made.keep(sharding.end())
    return made


def given_bytes(job: Job, stage: Stage, length: int) -> list[list[int]]:
    """Bytes that are given with a length: what layers share, and then what the loss needs for a while, if it is fused.

    A loss that never holds all logits needs some forward and others back.
    """
    shared = shared_bytes(job, stage, length)
    if not stage.head or job.training.whole_logits:
        return [shared]
    shape = job.architecture, job.precision, job.training, job.training.micro_batch * length
    forward = fused_forward_bytes(*shape)
    if job.training.liger_head:  # what it holds is part of the stream
        return [shared, [forward[name] for name in LIGER_CHUNK]]
    return [shared, [*forward.values()], [*fused_backward_bytes(*shape).values()]]


def shared_bytes(job: Job, stage: Stage, length: int) -> list[int]:
    """Bytes of positions, of their cosines and sines, and of the masks that layers share."""
    row, program = row_tokens(job, length), program_at(job, length)
    kinds = {job.architecture.layer_types[at] for at in range(stage.first, stage.last)}
    masks = [mask_of(program, kind) or 0 for kind in sorted(kinds)]
    latent = job.architecture.latent_attention
    width = job.architecture.head_dim if latent is None else latent.qk_rope_head_dim
    turned = job.precision.stream * width * row * turned_rows(job)
    told = job.architecture.recorded is not None
    positions = [positions_bytes(job, length)] if told else [8 * row, turned, turned]
    return [*positions, *(mask * job.training.micro_batch * length * row for mask in masks)]


class _MicroBatch(Slots):
    """A micro-batch as it is added, with the slots of all storages by the phase and the layer that made them."""

    def __init__(self, told: Stream, *, whole: bool) -> None:
        super().__init__()
        self._told = told
        self.followed = None if whole else followed(told)
        self._slots: dict[tuple[str, int], list[int]] = {}

    def phase(self, name: str, layer: int = NOWHERE) -> None:
        """Add a phase."""
        phase = self._told.phase(name, layer)
        here = self._slots[name, layer] = [0] * len(phase.sizes)
        whole = layer == NOWHERE or self.followed is None or layer in self.followed
        for comes, owner, at, number in phase.events if whole else phase.lasting:
            if comes:
                here[number] = self.come(phase.sizes[number])
                continue
            for slots in (here,) if owner == name and not at else self._owners(owner, at, layer):
                self.gone(slots[number])

    def _owners(self, name: str, at: int, layer: int) -> list[list[int]]:
        """The slots of the phase that made a storage; outside the layers, of that phase of all layers alike."""
        if layer != NOWHERE:
            keys: Iterable[int] = (layer + at if name in (FORWARD, BACKWARD) else NOWHERE,)
        else:
            keys = (NOWHERE,) if at == NOWHERE else self._told.layers(at)
        return [self._slots[name, key] for key in keys if (name, key) in self._slots]

    def gradients(self, *phases: tuple[str, int]) -> list[int]:
        """The slots of the gradients that some phases leave."""
        found = [
            self._slots[phase][number]
            for phase in phases
            if phase in self._slots
            for number in self._told.phase(*phase).stays
        ]
        return [slot for slot in found if slot in self.alive]

    def keep(self, reduced: Sequence[int]) -> None:
        """Keep gradients, as they are or reduced; whatever else is still there goes."""
        self.kept = [*reduced, *self.gradients(*self._slots)]
        kept = {*self.kept}
        self.let_go([slot for slot in self.alive if slot not in kept])


def followed(told: Stream) -> frozenset[int]:
    """The layers of a model that are followed request by request where not all of them are."""
    alike = [told.layers(run) for run in range(len(told.forward))]
    return frozenset(layer for layers in alike for layer in (*layers[:WHOLE], *layers[-WHOLE:]))
