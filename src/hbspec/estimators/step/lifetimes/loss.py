"""Output head and cross-entropy over shapes, with all logits at once or never with all of them."""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog.dtypes import FLOAT32
from hbspec.estimators.step.lifetimes import layouts
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import Sink, Tensor
from hbspec.estimators.step.lifetimes.ledger import Form, Ledger, Products
from hbspec.estimators.step.lifetimes.linear import linear
from hbspec.estimators.step.lifetimes.modules import Linear, Machine
from hbspec.estimators.step.lifetimes.recorded import RecordedPart, run_part
from hbspec.estimators.step.lifetimes.tape import Tape

LABEL = 8
"""Bytes of a token's id."""

CHUNK = 128
"""Tokens whose logits LitGPT makes together."""

PARTS = 8
"""Parts of a micro-batch whose logits torchtune makes together (`modules/loss/cross_entropy_loss.py`)."""


class Loss(NamedTuple):
    """How the loss is computed.

    Attributes:
        standard: whether all logits are held at once.
        liger: whether a head that never holds them is Liger's.
        copies: whether logits are copied in fp32 once more, shifted by a token, as transformers did before 4.49.
        in_place: whether a kernel writes the gradient over the logits that it is given.
        replaced: whether logits in fp32 take the place of those of 16 bits, as in transformers before 4.46.
        returned: whether the model's logits are converted to fp32 when they are returned, as accelerate does under
            autocast (1.15.0, `prepare_model`, `convert_outputs_to_fp32`).
        outputs_held: whether the caller holds logits during the backward pass.
        capped: whether logits go through a hyperbolic tangent first.
        scaled: whether they are multiplied by a number first.
        in_chunks: whether the logits of a few tokens after another are made, and all of them held, as LitGPT does.
        in_parts: whether the logits of a part of the tokens after another are made, and all their logarithms held, as
            torchtune does.
        recorded: what a recorded model does to its logits.
        rewards: whether the head gives one number a token.
    """

    standard: bool
    liger: bool
    copies: bool
    in_place: bool
    replaced: bool
    returned: bool
    outputs_held: bool
    capped: bool
    scaled: bool
    in_chunks: bool
    in_parts: bool = False
    recorded: RecordedPart | None = None
    rewards: bool = False


def loss(machine: Machine, how: Loss, head: Linear, x: Tensor) -> Tensor:
    """Head and cross-entropy, in fp32, or the head that rewards and what is made of its numbers."""
    if how.rewards:
        return _rewarded(machine, head, x)
    if how.standard and how.in_chunks:
        return _in_chunks(machine, head, x)
    if how.standard and how.in_parts:
        return _in_parts(machine, head, x)
    if how.standard:
        return _standard(machine, how, head, x)
    return _liger(machine, head, x) if how.liger else _fused(machine, head, x)


def balance(tape: Tape) -> None:
    """The loss that balances experts: beside each router's logits their softmax is held, in its dtype and in fp32.

    Source: transformers 5.23.0, `models/mixtral/modeling_mixtral.py`, `load_balancing_loss_func`, whose logits the
    model puts out. Left out: their gradients, which are as small, and that some are let go before the backward pass.
    """
    for logits in tuple(tape.routers):
        tape.term = "router"
        tape.routers += [tape.new(logits.numel, element, "router") for element in (logits.element, FLOAT32)]


def _standard(machine: Machine, how: Loss, head: Linear, x: Tensor) -> Tensor:
    tape = machine.tape
    offloading, tape.offloading = tape.offloading, None  # TRL leaves the head out
    logits = linear(machine, x, head, "logits")
    tape.offloading = offloading
    tape.term = "logits"
    if how.capped:
        logits = op.capped(tape, logits)
    if how.scaled:
        logits = op.unary(tape, logits)
    if how.recorded is not None:
        logits = run_part(machine, how.recorded, logits, "logits")
    wide = op.cast(tape, logits, FLOAT32)
    if how.replaced:
        logits = wide
    given = op.clone(tape, layouts.part(tape, wide, wide.numel)) if how.copies else wide
    value = _in_place(tape, given) if how.in_place else _cross_entropy(tape, given)
    del wide, given
    if how.returned:
        op.cast(tape, logits, FLOAT32)
    tape.held = logits if how.outputs_held else None
    return value


def _rewarded(machine: Machine, head: Linear, x: Tensor) -> Tensor:
    """A number for every token, of which those at the ends of rows are compared.

    Sources: transformers 5.23.0, `modeling_layers.py`, `GenericForSequenceClassification`; TRL 1.16.0,
    `reward_trainer.py`, `compute_loss`.
    """
    tape = machine.tape
    wide = op.cast(tape, linear(machine, x, head, "logits"), FLOAT32)
    numel = wide.numel

    def derivative(_: Tensor) -> list[Tensor | None]:
        return [tape.new(numel, FLOAT32, "logits")]

    return tape.record(tape.new(Form(1), FLOAT32), [wide.node], derivative)


def _cross_entropy(tape: Tape, logits: Tensor) -> Tensor:
    """torch's: the logarithms of all probabilities are held, and the gradient is as large."""
    numel = logits.numel
    logarithms = op.unary(tape, logits, saves="output", term="logits")
    held = [tape.save(logarithms), tape.save(tape.new(Form(0, 1), LABEL, "inputs"))]

    def derivative(_: Tensor) -> list[Tensor | None]:
        return [tape.new(numel, FLOAT32, "logits")]

    return tape.record(tape.new(Form(1), FLOAT32), [logarithms.node], derivative, held)


def _in_place(tape: Tape, logits: Tensor) -> Tensor:
    """A kernel that holds the logits themselves, and puts the gradient in their place.

    Beside them a logarithm and a loss for each token. Sources: liger-kernel 0.8.5, `ops/cross_entropy.py`; unsloth's
    `Fast_CrossEntropyLoss` in fms-acceleration-foak 0.7.4, `kernels/unsloth/cross_entropy_loss.py`.
    """
    numel, element = logits.numel, logits.element
    losses = tape.new(Form(0, 1), FLOAT32, "inputs")
    held = [tape.save(logits), *(tape.save(tape.new(Form(0, 1), size, "inputs")) for size in (LABEL, FLOAT32))]

    def derivative(_: Tensor) -> list[Tensor | None]:
        return [Tensor(held[0].held(), numel, element)]

    value = tape.record(tape.new(Form(1), FLOAT32), [logits.node], derivative, held)
    del losses
    return value


def _in_chunks(machine: Machine, head: Linear, x: Tensor) -> Tensor:
    """LitGPT's: all logits are held in fp32 by its loop, and all logarithms, but the gradient of a chunk only.

    Sources: litgpt 0.5.12, `finetune/lora.py` (`lm_head_chunk_size=128`) and `utils.py` (`chunked_cross_entropy`);
    lightning 2.6 `HalfPrecision.convert_output`, which makes fp32 of what a model returns.
    """
    tape, work = machine.tape, _products(machine, head, x)
    numel, element, weight = x.numel, x.element, head.weight
    tape.term = "logits"
    tape.multiply(work.forward)
    narrow = tape.new(head.out, element)
    tape.held = tape.new(head.out, FLOAT32)
    del narrow
    held = [tape.save(tape.new(head.out, FLOAT32)), tape.save(tape.new(Form(0, 1), LABEL, "inputs"))]
    chunk = Form(CHUNK * head.rows)

    def derivative(_: Tensor) -> list[Tensor | None]:
        tape.multiply(work.backward)
        gradients = [tape.new(chunk, size, "logits") for size in (FLOAT32, element)]
        of_input = tape.new(numel, element, op.BACKWARD)
        del gradients
        return [of_input, tape.new(weight.numel, weight.element, op.GRADIENTS) if weight.trained else None]

    sinks = [weight.sink, *([head.adapter.down.sink] if head.adapter else [])]
    return tape.record(tape.new(Form(1), FLOAT32), [x.node, *sinks], derivative, held)


def _in_parts(machine: Machine, head: Linear, x: Tensor) -> Tensor:
    """torchtune's: logits of a part of the tokens, in fp32 too; their logarithms are held of all parts.

    Tokens without a label are left out there, and counted here. Source: torchtune bd2a0fc7,
    `modules/loss/cross_entropy_loss.py`, `LinearCrossEntropyLoss`.
    """
    tape, work = machine.tape, _products(machine, head, x)
    numel, element, weight = x.numel, x.element, head.weight
    tape.term = "logits"
    tape.multiply(work.forward)
    selected = tape.new(numel, element, "logits")  # what `index_select` gives
    held = [tape.save(tape.new(head.out, FLOAT32)), tape.save(tape.new(Form(0, 1), LABEL, "inputs"))]
    held += [tape.save(selected)] if weight.trained or head.adapter else []
    part = Form(0, -(-head.rows // PARTS))
    beside = [tape.new(part, size, "logits") for size in (element, FLOAT32)]
    del beside, selected

    def derivative(_: Tensor) -> list[Tensor | None]:
        tape.multiply(work.backward)
        gradients = [tape.new(part, size, "logits") for size in (FLOAT32, element)]
        of_weight = tape.new(weight.numel, weight.element, op.GRADIENTS) if weight.trained else None
        of_part = tape.new(weight.numel, weight.element, op.GRADIENTS) if weight.trained else None
        of_selected = tape.new(numel, element, op.BACKWARD)
        del gradients, of_part
        of_input = tape.new(numel, element, op.BACKWARD)
        del of_selected
        return [of_input, of_weight]

    sinks = [weight.sink, *([head.adapter.down.sink] if head.adapter else [])]
    return tape.record(tape.new(Form(1), FLOAT32), [x.node, *sinks], derivative, held)


def _fused(machine: Machine, head: Linear, x: Tensor) -> Tensor:
    """A head that never holds all logits: what it needs itself is told elsewhere, its gradients stay.

    It computes the logits again on the way back, tile by tile.
    """
    tape, work = machine.tape, _products(machine, head, x)
    numel, element, weight = x.numel, x.element, head.weight
    tape.multiply(work.forward)

    def derivative(_: Tensor) -> list[Tensor | None]:
        tape.multiply(work.forward.plus(work.backward))
        of_input = tape.new(numel, element, op.BACKWARD)
        return [of_input, tape.new(weight.numel, weight.element, op.GRADIENTS) if weight.trained else None]

    sinks = [weight.sink, *([head.adapter.down.sink] if head.adapter else [])]
    return tape.record(tape.new(Form(1), FLOAT32), [x.node, *sinks], derivative)


def _liger(machine: Machine, head: Linear, x: Tensor) -> Tensor:
    """Liger's head, which makes the gradients of its input and of its weight in the forward pass, and holds them.

    Its logits, a chunk at a time, are told elsewhere. Source: liger-kernel 0.8.5, `ops/fused_linear_cross_entropy.py`.
    """
    tape, work, weight = machine.tape, _products(machine, head, x), head.weight
    sizes = [(x.numel, x.element), *([(weight.numel, weight.element)] if weight.trained else [])]
    terms = op.BACKWARD, op.GRADIENTS
    held = [tape.save(tape.new(*size, term)) for size, term in zip(sizes, terms, strict=False)]
    tape.multiply(work.forward.plus(work.backward))

    def derivative(_: Tensor) -> list[Tensor | None]:
        return [Tensor(saved.held(), *size) for saved, size in zip(held, sizes, strict=True)]

    inputs = [x.node, *([weight.sink] if weight.trained else [])]
    return tape.record(tape.new(Form(1), FLOAT32), inputs, derivative, held)


def _products(machine: Machine, head: Linear, x: Tensor) -> Products:
    """The head's products both ways, on a tape of their own: what it holds does not belong to the step."""
    ledger = Ledger()
    tape = Tape(ledger)
    given = tape.new(x.numel, x.element)
    given.node = Sink() if x.node is not None else None
    outputs = [linear(machine._replace(tape=tape), given, head, "logits")]
    del given
    ledger.begin("backward")
    tape.backward(outputs)
    for weight in head.weights():
        if weight.sink is not None:
            weight.sink.gradient = None
    return ledger.products("forward", "backward")
