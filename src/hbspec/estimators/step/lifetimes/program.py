"""A few layers of a model, run forward and back, so that any number of layers can be told from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial, reduce
from itertools import pairwise
from typing import NamedTuple

from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import Parameter, Sink, Tape, Tensor
from hbspec.estimators.step.lifetimes.decoder import LAYER_INPUTS, Layer, layer_forward
from hbspec.estimators.step.lifetimes.experts import Experts
from hbspec.estimators.step.lifetimes.ledger import NOTHING, Form, Ledger, Moment, Storage, Work
from hbspec.estimators.step.lifetimes.modules import COPIES, FLOAT32, Linear, Machine, linear, norm

Terms = Mapping[str, Form]
Written = Mapping[str, Work]

LABEL = 8
"""Bytes of a token's id."""


class Model(NamedTuple):
    """What is run.

    Attributes:
        layers: a layer of every kind, and one more, in the order of the model.
        final: the last norm.
        head: the output head.
        width: hidden size.
        stream: bytes of a number of the residual stream.
        embedding: whether the embedding is trained.
        hooked: whether the embedding's output is made to need a gradient (`enable_input_require_grads`).
        checkpointing: whether layers are computed again.
        compute: autocast's dtype in bytes; None is no autocast.
        accumulates: whether gradients of an earlier micro-batch exist.
        standard_loss: whether all logits are held at once.
        loss_copies: whether the loss copies them in fp32 once more, as transformers did before 4.46.
        outputs_held: whether the caller holds them during the backward pass.
        capped_logits: whether they go through a hyperbolic tangent first.
        float16: whether 16-bit numbers are float16, and not bfloat16.
        on_gpu: see `Tape`.
    """

    layers: Sequence[Layer]
    final: Parameter
    head: Linear
    width: int
    stream: int
    embedding: Parameter | None
    hooked: bool
    checkpointing: bool
    compute: int | None
    accumulates: bool
    standard_loss: bool
    loss_copies: bool
    outputs_held: bool
    capped_logits: bool
    float16: bool
    on_gpu: bool


class Profile(NamedTuple):
    """What the run of a few layers says of any number of them.

    Attributes:
        kept: by layer that was run, what it leaves for the backward pass.
        copies: by layer that was run, autocast's copies of its weights that live until the forward pass is over.
        gradients: by layer that was run, its gradients.
        forward: by layer that was run, moments of its forward pass, beside what the layers before it keep.
        loss: moments of norm, head and loss, forward, beside what the layers keep and their copies.
        loss_backward: the same on the way back, beside what the layers keep.
        backward: by layer that was run, moments of its backward pass, beside what the layers before it keep and the
            gradients of those behind it.
        end: moments after the first layer's backward pass, beside all layers' gradients.
        forward_work: by layer that was run, what its forward pass writes, by term.
        backward_work: the same of its backward pass, with what is computed again.
        loss_work: the same of norm, head and loss, forward and back.
    """

    kept: Sequence[Terms]
    copies: Sequence[Terms]
    gradients: Sequence[Terms]
    forward: Sequence[Sequence[Moment]]
    loss: Sequence[Moment]
    loss_backward: Sequence[Moment]
    backward: Sequence[Sequence[Moment]]
    end: Sequence[Moment]
    forward_work: Sequence[Written]
    backward_work: Sequence[Written]
    loss_work: tuple[Written, Written]


def profile(model: Model) -> Profile:
    """Run a model once forward and once back."""
    ledger = Ledger()
    tape = Tape(ledger, on_gpu=model.on_gpu)
    machine = Machine(tape, model.compute, model.stream, model.float16 and model.on_gpu)
    alive: list[Terms] = []
    behind: list[Terms] = []
    outputs = [_forward(machine, model, alive, behind)]
    tape.copies.clear()
    ledger.begin("loss backward")
    tape.backward(outputs)
    saved_copies = behind[0].get(COPIES, NOTHING) if behind else NOTHING  # where no layer is trained none is kept
    left = [_less(after, before) for before, after in pairwise(alive)]
    if not model.checkpointing and model.stream < FLOAT32:  # the next norm holds a copy, and not what the layer put out
        left[0] = _less(left[0], {LAYER_INPUTS: Form(0, model.width * model.stream)})
    kept = [{name: size for name, size in terms.items() if name != COPIES} for terms in left]
    copies = [terms.get(COPIES, NOTHING) for terms in left]
    if not model.checkpointing:  # copies are saved, but for those of the first layer that nothing needs again
        saved = [_minus(saved_copies, reduce(Form.plus, copies[1:], NOTHING)), *copies[1:]]
        kept = [{**terms, COPIES: size} for terms, size in zip(kept, saved, strict=True)]
        copies = [_minus(size, more) for size, more in zip(copies, saved, strict=True)]
    gradients = [_gradients(layer) for layer in model.layers]
    forward, backward = [], []
    for index in range(len(model.layers)):
        forward.append([_beside(moment, left[:index]) for moment in ledger.peaks(f"forward {index}")])
        elsewhere = [*kept[:index], *([] if model.accumulates else gradients[index + 1 :])]
        backward.append([_beside(moment, elsewhere) for moment in ledger.peaks(f"backward {index}")])
    return Profile(
        kept=kept,
        copies=[{COPIES: size} for size in copies],
        gradients=gradients,
        forward=forward,
        loss=[_beside(moment, left) for moment in ledger.peaks("loss")],
        loss_backward=[_beside(moment, kept) for moment in ledger.peaks("loss backward")],
        backward=backward,
        end=[_beside(moment, [] if model.accumulates else gradients) for moment in ledger.peaks("end")],
        forward_work=[ledger.work(f"forward {index}") for index in range(len(model.layers))],
        backward_work=[ledger.work(f"backward {index}") for index in range(len(model.layers))],
        loss_work=(ledger.work("loss"), ledger.work("loss backward")),
    )


def _forward(machine: Machine, model: Model, alive: list[Terms], behind: list[Terms]) -> Tensor:
    """The loss; `alive` is told what is there before and behind each layer, `behind` what is on the way back."""
    tape = machine.tape
    embedded = x = _embedded(machine, model)  # a local of the model's forward pass, as it is here
    alive.append(tape.ledger.alive())
    for index, layer in enumerate(model.layers):
        x = _phase(tape, x, "end" if index == 0 else f"backward {index - 1}")
        tape.ledger.begin(f"forward {index}")
        if model.checkpointing:
            x = tape.checkpoint(partial(layer_forward, machine, layer), x)
        else:
            x = layer_forward(machine, layer, x)
        alive.append(tape.ledger.alive())
    del embedded
    tape.ledger.begin("loss")
    x = _phase(tape, x, f"backward {len(model.layers) - 1}", behind)
    return _loss(machine, model, norm(machine, x, model.final, "final_norm", wide=model.layers[0].wide_norms))


def _embedded(machine: Machine, model: Model) -> Tensor:
    tape = machine.tape
    x = tape.new(Form(0, model.width), model.stream, LAYER_INPUTS)
    if model.embedding is not None:
        numel, element = model.embedding.numel, model.embedding.element
        tape.record(x, [model.embedding.sink], lambda _: [tape.new(numel, element, op.GRADIENTS)])
    elif model.hooked:
        x.node = Leaf(x.storage)
    return x


class Leaf(Sink):
    """An input that gathers a gradient; unlike a parameter it is held by that."""

    __slots__ = ("leaf",)

    def __init__(self, leaf: Storage | None) -> None:
        super().__init__()
        self.leaf = leaf


def _phase(tape: Tape, x: Tensor, phase: str, alive: list[Terms] | None = None) -> Tensor:
    """The same tensor; its gradient's coming begins a phase, and `alive` is told what is there then."""

    def begin(gradient: Tensor) -> list[Tensor | None]:
        tape.ledger.begin(phase)
        if alive is not None:
            alive.append(tape.ledger.alive())
        return [Tensor(gradient.storage, gradient.numel, gradient.element)]

    return tape.record(Tensor(x.storage, x.numel, x.element), [x.node], begin)


def _loss(machine: Machine, model: Model, x: Tensor) -> Tensor:
    """Head and cross-entropy over all logits at once, in fp32."""
    tape = machine.tape
    if not model.standard_loss:
        return _fused_loss(tape, model, x)
    logits = linear(machine, x, model.head, "logits")
    tape.term = "logits"
    if model.capped_logits:
        logits = op.capped(tape, logits)
    wide = op.cast(tape, logits, 4)
    shifted = op.clone(tape, wide) if model.loss_copies else wide
    numel = wide.numel
    logarithms = op.unary(tape, shifted, saves="output", term="logits")
    tape.held = logits if model.outputs_held else None
    del wide, shifted, logits
    held = [tape.save(logarithms), tape.save(tape.new(Form(0, 1), LABEL, "inputs"))]

    def derivative(_: Tensor) -> list[Tensor | None]:
        return [tape.new(numel, 4, "logits")]

    return tape.record(tape.new(Form(1), 4), [logarithms.node], derivative, held)


def _fused_loss(tape: Tape, model: Model, x: Tensor) -> Tensor:
    """A head that never holds all logits: what it needs itself is told elsewhere, its gradients stay."""
    numel, element, head = x.numel, x.element, model.head.weight

    def derivative(_: Tensor) -> list[Tensor | None]:
        of_input = tape.new(numel, element, op.BACKWARD)
        return [of_input, tape.new(head.numel, head.element, op.GRADIENTS) if head.trained else None]

    return tape.record(tape.new(Form(1), 4), [x.node, head.sink], derivative)


def _less(after: Terms, before: Terms) -> Terms:
    difference = {name: _minus(after.get(name, NOTHING), before.get(name, NOTHING)) for name in {*after, *before}}
    return {name: size for name, size in difference.items() if size != NOTHING}


def _minus(left: Form, right: Form) -> Form:
    return Form(left[0] - right[0], left[1] - right[1], left[2] - right[2])


def _beside(moment: Moment, elsewhere: Sequence[Terms]) -> Moment:
    terms, total = dict(moment.terms), moment.total
    for other in elsewhere:
        terms = dict(_less(terms, other))
        for size in other.values():
            total = _minus(total, size)
    return Moment(moment.phase, total, terms)


def _gradients(layer: Layer) -> Terms:
    trained = [*layer.norms.values()]
    for module in layer.linears.values():
        trained += [module.weight, *([module.bias] if module.bias else [])]
        if module.adapter:
            adapter = module.adapter
            trained += [adapter.down, adapter.up, *([adapter.magnitude] if adapter.magnitude else [])]
    if layer.experts is not None:
        trained += _of_experts(layer.experts)
    size = sum(weight.numel.fixed * weight.element for weight in trained if weight.trained)
    return {op.GRADIENTS: Form(size)} if size else {}


def _of_experts(experts: Experts) -> list[Parameter]:
    modules = [module for module in experts.shared.values() if module.adapter]
    adapters = [
        experts.router_adapter,
        experts.up_adapter,
        experts.down_adapter,
        *(module.adapter for module in modules),
    ]
    factors = [weight for adapter in adapters if adapter for weight in (adapter.down, adapter.up)]
    if experts.listed:
        return [experts.router, *(module.weight for modules in experts.listed for module in modules.values())]
    return [experts.router, experts.up, experts.down, *(module.weight for module in experts.shared.values()), *factors]
