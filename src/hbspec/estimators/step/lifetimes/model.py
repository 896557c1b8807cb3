"""A few layers of a model, run forward and back, so that any number of layers can be told from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial, reduce
from itertools import pairwise
from typing import NamedTuple

from hbspec.catalog.dtypes import FLOAT32
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import Parameter, Tensor
from hbspec.estimators.step.lifetimes.decoder import Layer, layer_forward
from hbspec.estimators.step.lifetimes.embedding import LAYER_INPUTS, Embedding, embedded
from hbspec.estimators.step.lifetimes.ledger import NOTHING, Form, Ledger, Moment, Products, Work
from hbspec.estimators.step.lifetimes.loss import Loss, loss
from hbspec.estimators.step.lifetimes.modules import COPIES, Linear, Machine, norm
from hbspec.estimators.step.lifetimes.tape import Tape

Terms = Mapping[str, Form]
Written = Mapping[str, Work]


class Model(NamedTuple):
    """What is run.

    Attributes:
        layers: a layer of every kind, and one more, in the order of the model.
        embedding: the embedding.
        final: the last norm.
        head: the output head.
        loss: how the loss is computed.
        stream: bytes of a number of the residual stream.
        checkpointing: whether layers are computed again.
        compute: autocast's dtype in bytes; None without autocast.
        accumulates: whether gradients of an earlier micro-batch exist.
        float16: whether 16-bit numbers are float16, and not bfloat16.
        on_gpu: see `Tape`.
    """

    layers: Sequence[Layer]
    embedding: Embedding
    final: Parameter
    head: Linear
    loss: Loss
    stream: int
    checkpointing: bool
    compute: int | None
    accumulates: bool
    float16: bool
    on_gpu: bool


class Profile(NamedTuple):
    """What the run of a few layers says of any number of them.

    Attributes:
        embedded: what an adapter on the embedding leaves for the backward pass, beside the residual stream.
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
        embedding_products: multiply-adds of an adapter on the embedding.
        products: by layer that was run, its multiply-adds.
        head_products: multiply-adds of the head, where the tokens are the positions that it computes.
    """

    embedded: Terms
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
    embedding_products: Products
    products: Sequence[Products]
    head_products: Products


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
    stream = {LAYER_INPUTS: Form(0, model.embedding.width * model.stream)}
    if not model.checkpointing and model.stream < FLOAT32:  # the next norm holds a copy, and not what the layer put out
        left[0] = _less(left[0], stream)
    kept, copies = _kept(left, None if model.checkpointing else saved_copies)
    gradients = [_gradients(layer) for layer in model.layers]
    forward, backward = [], []
    for index in range(len(model.layers)):
        forward.append([_beside(moment, left[:index]) for moment in ledger.peaks(f"forward {index}")])
        elsewhere = [*kept[:index], *([] if model.accumulates else gradients[index + 1 :])]
        backward.append([_beside(moment, elsewhere) for moment in ledger.peaks(f"backward {index}")])
    return Profile(
        embedded=_less(alive[0], stream),
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
        embedding_products=ledger.products("forward", "end"),
        products=[ledger.products(f"forward {index}", f"backward {index}") for index in range(len(model.layers))],
        head_products=ledger.products("loss", "loss backward"),
    )


def _kept(left: Sequence[Terms], saved_copies: Form | None) -> tuple[list[Terms], list[Form]]:
    """What each layer leaves for the backward pass, and copies of weights that live until the forward pass is over.

    Args:
        left: by layer, what it leaves behind its forward pass.
        saved_copies: copies that are saved, but for those of the first layer that nothing needs again; None where
            layers are computed again, and save none.
    """
    kept: list[Terms] = [{name: size for name, size in terms.items() if name != COPIES} for terms in left]
    copies = [terms.get(COPIES, NOTHING) for terms in left]
    if saved_copies is None:
        return kept, copies
    saved = [_minus(saved_copies, reduce(Form.plus, copies[1:], NOTHING)), *copies[1:]]
    kept = [{**terms, COPIES: size} for terms, size in zip(kept, saved, strict=True)]
    return kept, [_minus(size, more) for size, more in zip(copies, saved, strict=True)]


def _forward(machine: Machine, model: Model, alive: list[Terms], behind: list[Terms]) -> Tensor:
    """The loss; `alive` is told what is there before and behind each layer, `behind` what is on the way back."""
    tape = machine.tape
    inputs = x = embedded(machine, model.embedding)  # a local of the model's forward pass, as it is here
    alive.append(tape.ledger.alive())
    for index, layer in enumerate(model.layers):
        x = _phase(tape, x, "end" if index == 0 else f"backward {index - 1}")
        tape.ledger.begin(f"forward {index}")
        if model.checkpointing:
            x = tape.checkpoint(partial(layer_forward, machine, layer), x)
        else:
            x = layer_forward(machine, layer, x)
        alive.append(tape.ledger.alive())
    del inputs
    tape.ledger.begin("loss")
    x = _phase(tape, x, f"backward {len(model.layers) - 1}", behind)
    wide = model.layers[0].wide_norms
    return loss(machine, model.loss, model.head, norm(machine, x, model.final, "final_norm", wide=wide))


def _phase(tape: Tape, x: Tensor, phase: str, alive: list[Terms] | None = None) -> Tensor:
    """The same tensor; its gradient's coming begins a phase, and `alive` is told what is there then."""

    def begin(gradient: Tensor) -> list[Tensor | None]:
        tape.ledger.begin(phase)
        if alive is not None:
            alive.append(tape.ledger.alive())
        return [Tensor(gradient.storage, gradient.numel, gradient.element)]

    return tape.record(Tensor(x.storage, x.numel, x.element), [x.node], begin)


def _less(after: Terms, before: Terms) -> Terms:
    difference = {name: _minus(after.get(name, NOTHING), before.get(name, NOTHING)) for name in {**after, **before}}
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
    size = sum(weight.numel.fixed * weight.element for weight in layer.weights() if weight.trained)
    return {op.GRADIENTS: Form(size)} if size else {}
