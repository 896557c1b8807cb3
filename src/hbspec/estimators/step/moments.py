"""The moments of a training step on one GPU, each a sum of named terms in whole bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from hbspec.estimators.step.job import Job, reentrant
from hbspec.estimators.step.lifetimes.kinds import Kinds, kinds, program_profile
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.ledger import Moment as Peak
from hbspec.estimators.step.lifetimes.model import Profile
from hbspec.estimators.step.lifetimes.program import Program, mask_of
from hbspec.estimators.step.loss import fused_backward_bytes, fused_forward_bytes
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.states import states_of
from hbspec.estimators.weights import EMBEDDING, HEAD

LASTING = frozenset(
    {
        *(EMBEDDING, HEAD, "experts", "linear_weights", "norms_and_biases", "quantized_weights", "quantization_scales"),
        *(
            "adapters",
            "optimizer_states",
            "master_weights",
            "workspaces",
            "gradients",
            "gradient_buckets",
            "gathered_weights",
        ),
    }
)
"""Terms that follow from shapes alone. All others grow with the tokens and are as good as the traces behind them."""


def kept_bytes(job: Job, stage: Stage, tokens: int) -> int:
    """What a stage's layers leave for the backward pass."""
    return _Run.of(job, stage, tokens).kept(stage.last).total


class Part(NamedTuple):
    """Some terms, and what they add up to."""

    terms: Mapping[str, int]
    total: int


class Moment(NamedTuple):
    """A moment of a step: named bytes that are alive at once.

    Attributes:
        name: "load", "forward", "loss", "recompute" (checkpointing: a layer computed again, and its backward pass),
            "backward" (without checkpointing, and the end of every backward pass) or "optimizer".
        parts: the terms.
        total: what they add up to.
    """

    name: str
    parts: tuple[Part, ...]
    total: int

    @property
    def terms(self) -> dict[str, int]:
        """Bytes by name."""
        terms: dict[str, int] = {}
        for part in self.parts:
            for name, size in part.terms.items():
                terms[name] = terms.get(name, 0) + size
        return terms


def _part(terms: Mapping[str, int]) -> Part:
    return Part(terms, sum(terms.values()))


def _moment(name: str, *parts: Part) -> Moment:
    return Moment(name, parts, sum(part.total for part in parts))


def peak_moment(job: Job, stage: Stage, tokens: int) -> Moment:
    """The moment that needs most.

    Args:
        job: the job.
        stage: what this GPU computes on.
        tokens: T, tokens of each row of the micro-batch.
    """
    return max(moments(job, stage, tokens), key=lambda moment: moment.total)


def moments(job: Job, stage: Stage, tokens: int) -> Iterator[Moment]:
    """Every moment that can be the largest. Of the forward pass that is the last layer's, when most is kept."""
    states = states_of(job, stage)
    weights, trained = _part(states.weights), _part(states.trained)
    yield _moment("load", weights, _part({"loading": states.loading}))
    inputs = _part({"inputs": _inputs(job, tokens) if stage.layers else 0})
    if stage.layers:
        around = {**states.computing, "positions": _positions(job, tokens)}
        base = _join(weights, trained, inputs, _part(around))
        yield from _computing(job, stage, tokens, base, states.accumulated)
    ending = _part({"gradients": states.gradients, "optimizer_temporaries": states.updating})
    yield _moment("optimizer", weights, trained, inputs, ending)


def _join(*parts: Part) -> Part:
    terms: dict[str, int] = {}
    for part in parts:
        terms |= part.terms
    return Part(terms, sum(part.total for part in parts))


def _computing(job: Job, stage: Stage, tokens: int, states: Part, gradients: int) -> Iterator[Moment]:
    training, run = job.training, _Run.of(job, stage, tokens)
    accumulated = _part({"gradients": gradients})
    checkpointing = training.gradient_checkpointing
    masks = run.masks(stage.last - 1)
    around = _part({}) if not checkpointing else masks
    if stage.head:
        kept = run.kept(stage.last)
        for peak in run.profile.loss:
            yield _moment("loss", states, accumulated, around, kept, run.copies(stage.last), run.sized(peak))
        for peak in run.profile.loss_backward:
            yield _moment("loss", states, accumulated, around, kept, run.sized(peak))
        if training.loss != "standard":
            shape = job.architecture, job.precision, training, training.micro_batch * tokens
            forward, backward = _part(fused_forward_bytes(*shape)), _part(fused_backward_bytes(*shape))
            behind = states, accumulated, around, run.embedded(), kept
            yield _moment("loss", *behind, run.copies(stage.last), forward)
            yield _moment("loss", *behind, backward)
    last = run.last()
    for peak in run.profile.forward[last[0]]:
        kept = run.kept(last[1])
        yield _moment("forward", states, accumulated, masks, kept, run.copies(last[1]), run.sized(peak))
    again = "recompute" if checkpointing else "backward"
    held = _held_by_hooks(job, tokens)
    for index, position in run.positions():
        kept, around = run.kept(stage.last if held else position), run.masks(position) if checkpointing else _part({})
        kept = _join(kept, _part({"held_by_hooks": held * min(stage.last - 1 - position, max(0, stage.layers - 2))}))
        later = accumulated if accumulated.total else run.gradients(position + 1)
        for peak in run.profile.backward[index]:
            yield _moment(again, states, later, around, kept, run.sized(peak))
    if stage.embedding:
        later = accumulated if accumulated.total else run.gradients(0)
        for peak in run.profile.end:
            yield _moment("backward", states, later, run.sized(peak))


class _Run(NamedTuple):
    """A profile applied to a stage's layers and to one length."""

    stage: Stage
    tokens: int
    row: int
    kinds: Kinds
    profile: Profile
    program: Program
    layer_types: tuple[str, ...]
    sharded: int

    @classmethod
    def of(cls, job: Job, stage: Stage, tokens: int) -> _Run:
        program = program_at(job, tokens)
        found = kinds(job.architecture, program)
        run = program_profile(job.architecture, program)
        n, types = job.training.micro_batch * tokens, job.architecture.layer_types
        return cls(stage, n, row_tokens(job, tokens), found, run, program, types, job.shards.gradients)

    def positions(self) -> Iterator[tuple[int, int]]:
        """Layers that were run, each where the most before it is kept and where the most gradients are behind it."""
        if self.stage.first == 0:
            yield 0, 0
        for index, kind in enumerate(self.kinds.run[1:], 1):
            alike = [at for at in range(max(1, self.stage.first), self.stage.last) if self.kinds.of[at] == kind]
            for position in {*alike[:1], *alike[-1:]}:
                yield index, position

    def last(self) -> tuple[int, int]:
        """The layer that was run for the stage's last one, and that one's position."""
        position = self.stage.last - 1
        return (0 if position == 0 else 1 + self.kinds.of[position]), position

    def sized(self, peak: Peak) -> Part:
        """A moment's own terms."""
        terms = {name: size.at(self.tokens, self.row) for name, size in peak.terms.items()}
        return Part(terms, peak.total.at(self.tokens, self.row))

    def embedded(self) -> Part:
        """What an adapter on the embedding leaves for the backward pass."""
        terms = self.profile.embedded if self.stage.embedding else {}
        return _part({name: size.at(self.tokens, self.row) for name, size in terms.items()})

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
        return _part({"masks": sum(element or 0 for element in elements) * self.tokens * self.row})

    def gradients(self, begin: int) -> Part:
        """Gradients of the stage's layers from `begin` on."""
        whole = self._of_layers(self.profile.gradients, max(begin, self.stage.first), self.stage.last)
        return _part({name: -(-size // self.sharded) for name, size in whole.terms.items()})

    def _of_layers(self, by_layer: Sequence[Mapping[str, Form]], first: int, last: int) -> Part:
        terms: dict[str, int] = {}
        for index, number in self.kinds.numbers(first, last).items():
            for name, size in by_layer[index].items():
                terms[name] = terms.get(name, 0) + number * size.at(self.tokens, self.row)
        return _part(terms)


def _held_by_hooks(job: Job, tokens: int) -> int:
    """What FSDP's hooks hold of each frozen layer that is done, beside its input, until the backward pass is over.

    Measured with transformers 4's reentrant checkpointing (IBM fms-acceleration, a100_80gb.csv): (L - 2) 2 h a token
    more than on one GPU, for LoRA, QLoRA and GPTQ alike, and not for full fine-tuning. The hooks on the inputs of
    frozen layers (torch, `_register_post_backward_reshard_only_hook`) are where tensors are held that long; that it is
    they is inferred.
    """
    training = job.training
    if not (job.sharded and job.parallelism == "fsdp" and training.adapters and reentrant(training)):
        return 0
    return job.precision.stream * job.architecture.hidden_size * training.micro_batch * tokens


def _inputs(job: Job, tokens: int) -> int:
    """Ids, labels and mask of every micro-batch of an update, and the frequencies of the rotary embedding.

    The trainer fetches all micro-batches of an update before it begins (transformers 5.23.0, `get_batch_samples`).
    """
    training = job.training
    return 24 * training.gradient_accumulation * training.micro_batch * tokens + 4 * job.architecture.head_dim


def row_tokens(job: Job, tokens: int) -> int:
    """Tokens of a row: packed rows of a micro-batch become one (TRL 1.16.0, `DataCollatorForLanguageModeling`)."""
    return tokens * job.training.micro_batch if job.training.packing else tokens


def _positions(job: Job, tokens: int) -> int:
    """Ids of the positions, and their cosines and sines, once for every base frequency."""
    tokens = row_tokens(job, tokens)
    bases = len({*job.architecture.layer_types}) if job.architecture.family.rotations_by_kind else 1
    return 8 * tokens + bases * 2 * job.precision.stream * job.architecture.head_dim * tokens


def program_at(job: Job, tokens: float) -> Program:
    """What runs at a length: a row as long as the sliding window gets a mask of its own."""
    window = job.architecture.sliding_window
    return job.program._replace(windowed=True) if window is not None and tokens >= window else job.program
