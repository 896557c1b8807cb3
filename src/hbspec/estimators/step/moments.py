"""The moments of a training step on one GPU, each a sum of named terms in whole bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from hbspec.estimators.step.cache import cached_bytes
from hbspec.estimators.step.generating import generation_moments
from hbspec.estimators.step.hooks import held_by_hooks
from hbspec.estimators.step.images import RunImages
from hbspec.estimators.step.job import Job
from hbspec.estimators.step.lifetimes.kinds import Kinds, kinds, program_profile
from hbspec.estimators.step.lifetimes.ledger import Form, Peak
from hbspec.estimators.step.lifetimes.model import RunProfile
from hbspec.estimators.step.lifetimes.program import Program, mask_of
from hbspec.estimators.step.loading import loaded
from hbspec.estimators.step.loss import fused_backward_bytes, fused_forward_bytes
from hbspec.estimators.step.moment import Moment, Part, Sized, joined, moment, part, sized
from hbspec.estimators.step.offloaded import in_flight
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.positions import (
    buffer_bytes,
    computed_tokens,
    positions_bytes,
    program_at,
    row_tokens,
    spare_mask_bytes,
)
from hbspec.estimators.step.reference import reference_moments
from hbspec.estimators.step.reference_weights import REFERENCE
from hbspec.estimators.step.rollouts import ENGINE, buffered_bytes
from hbspec.estimators.step.scoring import scoring_moments
from hbspec.estimators.step.states import States, states_of
from hbspec.estimators.weights import EMBEDDING, HEAD, QUANTIZED_TOWER, TOWER

LASTING = frozenset(
    {
        *(EMBEDDING, HEAD, "experts", "linear_weights", "norms_and_biases", "quantized_weights", "quantization_scales"),
        *(TOWER, QUANTIZED_TOWER, REFERENCE, ENGINE),
        *(
            "adapters",
            "optimizer_states",
            "master_weights",
            "workspaces",
            "gradients",
            "gradient_buckets",
            "reduction_copy",
            "gathered_weights",
            "persistent_parameters",
            "offload_buffer",
            "shards",
        ),
    }
)
"""Terms that follow from shapes alone. All others grow with the tokens and are as good as the traces behind them."""


def kept_bytes(job: Job, stage: Stage, tokens: int) -> int:
    """What a stage's layers leave for the backward pass."""
    return _Run.of(job, stage, tokens).kept(stage.last).total


def peak_moment(job: Job, stage: Stage, tokens: int) -> Moment:
    """The moment after loading that needs most.

    Args:
        job: the job.
        stage: what this GPU computes on.
        tokens: T, tokens of each row of the micro-batch.
    """
    return max(moments(job, stage, tokens), key=lambda one: one.total)


def moments(job: Job, stage: Stage, tokens: int) -> Iterator[Moment]:
    """Every moment of a step that can be the largest. Of the forward pass that is the last layer's: most is kept."""
    states = states_of(job, stage)
    weights, trained = part(states.weights), part(states.trained)
    computes = bool(stage.layers) or stage.embedding or stage.head
    images = RunImages.of(job, tokens) if stage.embedding else None
    inputs = part({"inputs": _inputs(job, tokens, images) if computes else 0})
    if computes:
        run = _Run.of(job, stage, tokens)
        around = {**states.computing, "offloading": run.in_flight()}
        base = joined(weights, trained, inputs, part(around))
        yield from _computing(job, stage, tokens, base, states, images)
        yield from scoring_moments(job, stage, tokens)
        yield from generation_moments(job, stage, tokens)
    gradients = 0 if job.training.updates_in_backward else states.gradients
    ending = part({"gradients": gradients, "optimizer_temporaries": states.updating, **states.staying})
    yield moment("optimizer", weights, trained, inputs, ending)


def load_moments(job: Job, stage: Stage, *, whole: bool) -> list[Moment]:
    """The moments of loading, the one that needs most first; `whole` as in `loaded`."""
    found = loaded(job, stage, states_of(job, stage), whole=whole)
    return sorted((moment("load", part(terms)) for terms in found), key=lambda one: -one.total)


def _computing(
    job: Job, stage: Stage, tokens: int, base: Part, held: States, images: RunImages | None
) -> Iterator[Moment]:
    training, run = job.training, _Run.of(job, stage, tokens)
    positions = part({"positions": positions_bytes(job, tokens)})
    # where layers spread them out for themselves and are not computed again, they go with the forward pass
    behind = part({}) if job.architecture.family.rotated_anew and not training.gradient_checkpointing else positions
    gathered = part({"gathered_weights": held.kept_gathered * max(0, stage.layers - 1)})
    states, behind_turn = joined(base, gathered, part(held.forward)), joined(base, behind, part(held.backward))
    cache = part({"key_value_cache": cached_bytes(job, stage, tokens)})
    spare = part({"masks": spare_mask_bytes(job, tokens)})
    accumulated = part({"gradients": held.accumulated})
    if images is not None:
        yield from images.forward(states, accumulated)
        behind_turn = joined(behind_turn, images.kept)
    forward, states = joined(states, positions, spare, cache), joined(states, behind)
    if images is not None:
        forward, states = joined(forward, images.held), joined(states, images.at_loss)
    checkpointing, masks = training.gradient_checkpointing, run.masks(stage.last - 1)
    around = part({}) if not checkpointing else masks
    if stage.head:
        yield from _at_loss(job, stage, tokens, run, joined(states, accumulated, around), cache)
    for index, position in run.last():
        kept = run.kept(position)
        for peak in run.profile.forward[index]:
            yield moment("forward", forward, accumulated, masks, kept, run.copies(position), run.sized(peak))
    again = "recompute" if checkpointing else "backward"
    hooked = held_by_hooks(job).at(job.training.micro_batch * tokens, tokens)
    for index, position in run.positions():
        kept, around = run.kept(stage.last if hooked else position), run.masks(position) if checkpointing else part({})
        kept = joined(kept, part({"held_by_hooks": hooked * min(stage.last - 1 - position, max(0, stage.layers - 2))}))
        later = accumulated if accumulated.total or held.at_once else run.gradients(position + 1)
        gathered = part({"gathered_weights": held.kept_gathered * _gathered_layers(job, stage, position)})
        for peak in run.profile.backward[index]:
            yield moment(again, behind_turn, later, gathered, around, kept, run.sized(peak))
    if stage.embedding:
        later = accumulated if accumulated.total or held.at_once else run.gradients(0)
        for peak in run.profile.end:
            yield moment("backward", behind_turn, later, run.sized(peak))
        if images is not None:
            ending = base, part(held.backward), later
            yield from images.backward(*ending)


def _at_loss(job: Job, stage: Stage, tokens: int, run: _Run, there: Part, cache: Part) -> Iterator[Moment]:
    """Moments of norm, head and loss, forward and back, and between them of the reference's pass."""
    training, kept, copies = job.training, run.kept(stage.last), run.copies(stage.last)
    for peak in run.profile.loss:
        yield moment("loss", there, cache, kept, copies, run.sized(peak))
    for peak in run.profile.loss_backward:
        yield moment("loss", there, kept, run.sized(peak))  # the outputs are gone
    kept_too = there, run.embedded(), kept
    if not training.whole_logits:
        shape = job.architecture, job.precision, training, training.micro_batch * tokens
        yield moment("loss", *kept_too, copies, part(fused_forward_bytes(*shape)))
        yield moment("loss", *kept_too, part(fused_backward_bytes(*shape)))
    if training.objective.reference and training.rollouts is None:
        logits = [run.sized(peak) for peak in run.profile.loss]
        yield from reference_moments(job, stage, tokens, kept_too, logits)


def _gathered_layers(job: Job, stage: Stage, position: int) -> int:
    """Layers besides the one computed that are still gathered where FSDP keeps them from forward to backward.

    FSDP1 does not even free them in a backward pass that reduces nothing (torch 2.13, `_runtime_utils.py`,
    `_should_free_in_backward`).
    """
    never_freed = job.fsdp is not None and job.fsdp.version == 1 and job.defers_gradients
    return stage.layers - 1 if never_freed else position - stage.first


class _Run(NamedTuple):
    """A profile applied to a stage's layers and to one length."""

    stage: Stage
    tokens: int
    row: int
    kinds: Kinds
    profile: RunProfile
    program: Program
    layer_types: tuple[str, ...]
    sharded: int
    offloaded: bool

    @classmethod
    def of(cls, job: Job, stage: Stage, tokens: int) -> _Run:
        program = program_at(job, tokens)
        found = kinds(job.architecture, program)
        run = program_profile(job.architecture, program)
        tokens = computed_tokens(job, tokens)
        n, types = job.training.micro_batch * tokens, job.architecture.layer_types
        cut = job.shards.gradients
        away = job.gradients_offloaded or job.training.updates_in_backward
        return cls(stage, n, row_tokens(job, tokens), found, run, program, types, cut, away)

    def positions(self) -> Iterator[tuple[int, int]]:
        """Layers that were run, each where the most before it is kept and where the most gradients are behind it."""
        if self.stage.first == 0 < self.stage.last:
            yield 0, 0
        for index, kind in enumerate(self.kinds.run[1:], 1):
            alike = [at for at in range(max(1, self.stage.first), self.stage.last) if self.kinds.of[at] == kind]
            for position in {*alike[:1], *alike[-1:]}:
                yield index, position

    def last(self) -> Iterator[tuple[int, int]]:
        """The layer that was run for the stage's last one, and that one's position; nothing if it has no layer."""
        position = self.stage.last - 1
        if self.stage.layers:
            yield (0 if position == 0 else 1 + self.kinds.of[position]), position

    def sized(self, peak: Peak) -> Sized:
        """A moment's own terms."""
        return sized(peak, self.tokens, self.row)

    def in_flight(self) -> int:
        """Activations on their way to the host, or on their way back."""
        return in_flight(self.profile, self.program, self.stage.layers, self.tokens, self.row)

    def embedded(self) -> Part:
        """What an adapter on the embedding leaves for the backward pass."""
        terms = self.profile.embedded if self.stage.embedding else {}
        return part({name: size.at(self.tokens, self.row) for name, size in terms.items()})

    def kept(self, end: int) -> Part:
        """What the stage's layers before `end` leave for the backward pass."""
        return self._of_layers(self.profile.kept, self.stage.first, end)

    def copies(self, end: int) -> Part:
        """Autocast's copies of the stage's layers before `end`."""
        return self._of_layers(self.profile.copies, self.stage.first, end)

    def masks(self, position: int) -> Part:
        """Masks that layers up to a position share."""
        types = {self.layer_types[at] for at in range(self.stage.first, position + 1)}
        elements = (mask_of(self.program, kind) for kind in types)
        return part({"masks": sum(element or 0 for element in elements) * self.tokens * self.row})

    def gradients(self, begin: int) -> Part:
        """Gradients of the stage's layers from `begin` on."""
        if self.offloaded:
            return part({})
        whole = self._of_layers(self.profile.gradients, max(begin, self.stage.first), self.stage.last)
        return part({name: -(-size // self.sharded) for name, size in whole.terms.items()})

    def _of_layers(self, by_layer: Sequence[Mapping[str, Form]], first: int, last: int) -> Part:
        terms: dict[str, int] = {}
        for index, number in self.kinds.numbers(first, last).items():
            for name, size in by_layer[index].items():
                terms[name] = terms.get(name, 0) + number * size.at(self.tokens, self.row)
        return part(terms)


def _inputs(job: Job, tokens: int, images: RunImages | None) -> int:
    """Ids, labels, mask and images of every micro-batch of an update, and the frequencies of the rotary embedding.

    The trainer fetches all micro-batches of an update before it begins (transformers 5.23.0, `get_batch_samples`).
    """
    training = job.training
    if training.rollouts is not None:
        return buffered_bytes(job, tokens) + buffer_bytes(job)
    shown = images.pixels if images is not None else 0
    return 24 * training.gradient_accumulation * training.micro_batch * tokens + shown + buffer_bytes(job)
