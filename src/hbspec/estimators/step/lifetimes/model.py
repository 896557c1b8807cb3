"""A few layers of a model, run forward and back, so that any number of layers can be told from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from itertools import pairwise
from typing import NamedTuple

from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import Tensor
from hbspec.estimators.step.lifetimes.decoder import DecoderLayer, layer_forward
from hbspec.estimators.step.lifetimes.embedding import LAYER_INPUTS, Embedding, Leaf, embedded
from hbspec.estimators.step.lifetimes.ledger import NOTHING, Form, Ledger, Peak, Products, Work
from hbspec.estimators.step.lifetimes.loss import Loss, balance, loss
from hbspec.estimators.step.lifetimes.modules import COPIES, Linear, Machine, Norm, norm
from hbspec.estimators.step.lifetimes.offloading import Offloading
from hbspec.estimators.step.lifetimes.recorded import RecordedPart, layer_call, recorded_embedding, run_part
from hbspec.estimators.step.lifetimes.tape import Tape

BEFORE, LOSS, LOSS_BACKWARD, END = "forward", "loss", "loss backward", "end"
"""Phases outside the layers: the embedding, norm and head and loss, the same on the way back, the embedding on it."""

GONE = LAYER_INPUTS, "attention"
"""What may be let go of behind the last layer: its output, and its attention's weights."""

Terms = Mapping[str, Form]
Written = Mapping[str, Work]


class Network(NamedTuple):
    """What is run.

    Attributes:
        layers: a layer of every kind, and one more, in the order of the model.
        embedding: the embedding.
        final: the last norm.
        head: the output head.
        loss: how the loss is computed.
        stream: bytes of a number of the residual stream.
        width: numbers of the residual stream for each token.
        checkpointing: whether layers are computed again.
        reentrant: whether they are then computed whole, in a backward pass of their own.
        compute: autocast's dtype in bytes; None without autocast.
        accumulates: whether gradients of an earlier micro-batch exist.
        float16: whether 16-bit numbers are float16, and not bfloat16.
        on_gpu: see `Tape`.
        liger: whether Liger's kernels run.
        offloads: whether what is saved for the backward pass goes to the host.
    """

    layers: Sequence[DecoderLayer | RecordedPart]
    embedding: Embedding | RecordedPart
    final: Norm | RecordedPart
    head: Linear
    loss: Loss
    stream: int
    width: int
    checkpointing: bool
    reentrant: bool
    compute: int | None
    accumulates: bool
    float16: bool
    on_gpu: bool
    liger: bool
    offloads: bool


class RunProfile(NamedTuple):
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
        moved: by layer that was run, sizes of what it moves to the host; last of all those of norm, head and loss.
        stashes: what may be on its way to the host, or back, at the same time.
    """

    embedded: Terms
    kept: Sequence[Terms]
    copies: Sequence[Terms]
    gradients: Sequence[Terms]
    forward: Sequence[Sequence[Peak]]
    loss: Sequence[Peak]
    loss_backward: Sequence[Peak]
    backward: Sequence[Sequence[Peak]]
    end: Sequence[Peak]
    forward_work: Sequence[Written]
    backward_work: Sequence[Written]
    loss_work: tuple[Written, Written]
    embedding_products: Products
    products: Sequence[Products]
    head_products: Products
    moved: Sequence[Sequence[Form]]
    stashes: Sequence[Form]


def profile(model: Network) -> RunProfile:
    """What a model's run tells."""
    alive: list[Terms] = []
    behind: list[Terms] = []
    released: list[Terms] = []
    ledger = run(model, alive, behind, released)
    saved_copies = behind[0].get(COPIES, NOTHING) if behind else NOTHING  # where no layer is trained none is kept
    left = [_less(after, before) for before, after in pairwise(alive)]
    stream = {LAYER_INPUTS: Form(0, model.width * model.stream)}
    if not model.checkpointing:  # unless the next norm holds what a layer put out
        left[0] = _less(left[0], released[0])
    kept, copies = _kept(left, None if model.checkpointing or model.offloads else saved_copies)
    gradients = [_gradients(layer) for layer in model.layers]
    forward_phases = [*(f"forward {index}" for index in range(len(model.layers))), LOSS]
    *forward, loss = forward_moments(ledger, left)
    backward = []
    for index in range(len(model.layers)):
        elsewhere = [*kept[:index], *([] if model.accumulates else gradients[index + 1 :])]
        backward.append([_beside(moment, elsewhere) for moment in ledger.peaks(f"backward {index}")])
    return RunProfile(
        embedded=_less(alive[0], stream),
        kept=kept,
        copies=[{COPIES: size} for size in copies],
        gradients=gradients,
        forward=forward,
        loss=loss,
        loss_backward=[_beside(moment, kept) for moment in ledger.peaks(LOSS_BACKWARD)],
        backward=backward,
        end=[_beside(moment, [] if model.accumulates else gradients) for moment in ledger.peaks(END)],
        forward_work=[ledger.work(f"forward {index}") for index in range(len(model.layers))],
        backward_work=[ledger.work(f"backward {index}") for index in range(len(model.layers))],
        loss_work=(ledger.work(LOSS), ledger.work(LOSS_BACKWARD)),
        embedding_products=ledger.products(BEFORE, END),
        products=[ledger.products(f"forward {index}", f"backward {index}") for index in range(len(model.layers))],
        head_products=ledger.products(LOSS, LOSS_BACKWARD),
        moved=[ledger.moved(phase) for phase in forward_phases],
        stashes=[stash for phase in forward_phases for stash in ledger.stashes(phase)],
    )


def run(model: Network, alive: list[Terms], behind: list[Terms], released: list[Terms] | None = None) -> Ledger:
    """Run a model once forward and once back.

    Args:
        model: the model; gradients stay with its parameters.
        alive: is told what is there before and behind each layer.
        behind: is told what is there when the loss's way back is over.
        released: is told what the last norm lets go of: the last layer's output, or nothing.
    """
    ledger = Ledger()
    machine = _machine(model, ledger)
    tape = machine.tape
    outputs = [_forward(machine, model, alive, behind, [] if released is None else released)]
    tape.copies.clear()
    ledger.begin(LOSS_BACKWARD)
    tape.backward(outputs)
    tape.routers.clear()
    ledger.begin("over")  # gradients go with the model
    return ledger


def run_forward(model: Network) -> tuple[Ledger, list[Terms]]:
    """Run a model forward without differentiation; also what each layer leaves."""
    ledger, alive = Ledger(), list[Terms]()
    machine = _machine(model, ledger)
    machine.tape.differentiating = False
    _forward(machine, model, alive, [], [])
    return ledger, [_less(after, before) for before, after in pairwise(alive)]


def forward_moments(ledger: Ledger, left: Sequence[Terms]) -> list[list[Peak]]:
    """Moments of each layer's forward pass beside what the layers before it left, and last those at the loss."""
    phases = [*(f"forward {index}" for index in range(len(left))), LOSS]
    return [[_beside(peak, left[:index]) for peak in ledger.peaks(phase)] for index, phase in enumerate(phases)]


def _machine(model: Network, ledger: Ledger) -> Machine:
    tape = Tape(ledger, on_gpu=model.on_gpu, offloading=Offloading(ledger) if model.offloads else None)
    return Machine(tape, model.compute, model.stream, model.float16 and model.on_gpu, model.liger)


def _kept(left: Sequence[Terms], saved_copies: Form | None) -> tuple[list[Terms], list[Form]]:
    """What each layer leaves for the backward pass, and copies of weights that live until the forward pass is over.

    Args:
        left: by layer, what it leaves behind its forward pass.
        saved_copies: copies that are saved, but for those of the first layer that nothing needs again; None where
            layers are computed again, and save none, and where they are saved in host memory.
    """
    kept: list[Terms] = [{name: size for name, size in terms.items() if name != COPIES} for terms in left]
    copies = [terms.get(COPIES, NOTHING) for terms in left]
    if saved_copies is None:
        return kept, copies
    saved = [_minus(saved_copies, reduce(Form.plus, copies[1:], NOTHING)), *copies[1:]]
    kept = [{**terms, COPIES: size} for terms, size in zip(kept, saved, strict=True)]
    return kept, [_minus(size, more) for size, more in zip(copies, saved, strict=True)]


def _forward(
    machine: Machine, model: Network, alive: list[Terms], behind: list[Terms], released: list[Terms]
) -> Tensor:
    """The loss; `alive` is told what is there before and behind each layer, `behind` what is on the way back."""
    tape = machine.tape
    x, inputs = _embedded(machine, model.embedding)  # locals of the model's forward pass, as they are here
    alive.append(_less(tape.ledger.alive(), {LAYER_INPUTS: _size(inputs)}))
    inputs = inputs or [x]
    for index, layer in enumerate(model.layers):
        x = _phase(tape, x, END if index == 0 else f"backward {index - 1}")
        tape.ledger.begin(f"forward {index}")
        if index and isinstance(layer, RecordedPart) and layer.before is not None:
            x = run_part(machine, layer.before, x)
        if not (isinstance(layer, RecordedPart) and layer.idle):
            call = _called(machine, layer, x)
            if model.checkpointing:
                x = (tape.checkpoint_reentrant if model.reentrant else tape.checkpoint)(call, x)
            else:
                x = call(x)
            del call
        alive.append(tape.ledger.alive())
    del inputs
    tape.ledger.begin(LOSS)
    x = _phase(tape, x, f"backward {len(model.layers) - 1}", behind)
    before = tape.ledger.alive()
    x = _final(machine, model.final, x)
    tape.returned = None
    tape.shared.clear()
    released.append({name: _minus(before.get(name, NOTHING), tape.ledger.alive().get(name, NOTHING)) for name in GONE})
    balance(tape)
    return loss(machine, model.loss, model.head, x)


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


def _size(inputs: Sequence[Tensor]) -> Form:
    return reduce(
        Form.plus, (one.numel.times(one.element) for one in inputs if not isinstance(one.node, Leaf)), NOTHING
    )


def _minus(left: Form, right: Form) -> Form:
    return Form(left[0] - right[0], left[1] - right[1], left[2] - right[2])


def _beside(peak: Peak, elsewhere: Sequence[Terms]) -> Peak:
    terms, total = dict(peak.terms), peak.total
    for other in elsewhere:
        terms = dict(_less(terms, other))
        for size in other.values():
            total = _minus(total, size)
    return Peak(peak.phase, total, terms)


def _embedded(machine: Machine, embedding: Embedding | RecordedPart) -> tuple[Tensor, list[Tensor]]:
    run = recorded_embedding if isinstance(embedding, RecordedPart) else embedded
    return run(machine, embedding)  # type: ignore[arg-type]


def _called(machine: Machine, layer: DecoderLayer | RecordedPart, x: Tensor) -> Callable[[Tensor], Tensor]:
    if isinstance(layer, RecordedPart):
        return layer_call(machine, layer, x)
    return partial(layer_forward, machine, layer)


def _final(machine: Machine, final: Norm | RecordedPart, x: Tensor) -> Tensor:
    if isinstance(final, RecordedPart):
        return run_part(machine, final, x, "final_norm")
    return norm(machine, x, final, "final_norm")


def _gradients(layer: DecoderLayer | RecordedPart) -> Terms:
    own = (weight for weight in layer.weights() if weight.trained and not weight.again)
    size = sum(weight.numel.fixed * weight.element for weight in own)
    return {op.GRADIENTS: Form(size)} if size else {}
