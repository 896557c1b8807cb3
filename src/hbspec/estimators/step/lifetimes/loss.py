"""Output head and cross-entropy over shapes, with all logits at once or never with all of them."""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog.dtypes import FLOAT32
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import Sink, Tensor
from hbspec.estimators.step.lifetimes.ledger import Form, Ledger, Products
from hbspec.estimators.step.lifetimes.linear import linear
from hbspec.estimators.step.lifetimes.modules import Linear, Machine
from hbspec.estimators.step.lifetimes.tape import Tape

LABEL = 8
"""Bytes of a token's id."""


class Loss(NamedTuple):
    """How the loss is computed.

    Attributes:
        standard: whether all logits are held at once.
        copies: whether logits are copied in fp32 once more, as transformers did before 4.46.
        outputs_held: whether the caller holds logits during the backward pass.
        capped: whether logits go through a hyperbolic tangent first.
    """

    standard: bool
    copies: bool
    outputs_held: bool
    capped: bool


def loss(machine: Machine, how: Loss, head: Linear, x: Tensor) -> Tensor:
    """Head and cross-entropy, in fp32."""
    return _standard(machine, how, head, x) if how.standard else _fused(machine, head, x)


def _standard(machine: Machine, how: Loss, head: Linear, x: Tensor) -> Tensor:
    tape = machine.tape
    logits = linear(machine, x, head, "logits")
    tape.term = "logits"
    if how.capped:
        logits = op.capped(tape, logits)
    wide = op.cast(tape, logits, FLOAT32)
    shifted = op.clone(tape, wide) if how.copies else wide
    numel = wide.numel
    logarithms = op.unary(tape, shifted, saves="output", term="logits")
    tape.held = logits if how.outputs_held else None
    del wide, shifted, logits
    held = [tape.save(logarithms), tape.save(tape.new(Form(0, 1), LABEL, "inputs"))]

    def derivative(_: Tensor) -> list[Tensor | None]:
        return [tape.new(numel, FLOAT32, "logits")]

    return tape.record(tape.new(Form(1), FLOAT32), [logarithms.node], derivative, held)


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
