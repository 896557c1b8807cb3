"""Liger's kernels over shapes: norms, rotations and gates that hold what they are given, and work in its place.

Source: liger-kernel 0.8.5, `ops/rms_norm.py`, `ops/rope.py`, `ops/swiglu.py`, `ops/geglu.py` (what each allocates, and
`save_for_backward`), `transformers/monkey_patch.py` (which modules run them).
"""

from __future__ import annotations

from hbspec.catalog.dtypes import FLOAT32
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import ParameterTensor, Tensor
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.tape import Tape

PROCESSORS = 132
"""Streaming multiprocessors, each of which sums up a gradient of a norm's weight: those of an H100."""


def norm(tape: Tape, x: Tensor, weight: ParameterTensor, rows: Form, *, in_place: bool) -> Tensor:
    """An RMS norm that holds its input as it is, and a number a row; `in_place`: the gradient takes the place of dY."""
    out = tape.new(x.numel, x.element)
    held = [tape.save(x), tape.save(op.NO_STORAGE), tape.save(tape.new(rows, FLOAT32))]
    numel, element, trained, of_weight = x.numel, x.element, weight.trained, (weight.numel, weight.element)

    def derivative(gradient: Tensor) -> list[Tensor | None]:
        sums = tape.new(of_weight[0].times(PROCESSORS), FLOAT32, op.BACKWARD) if trained else None
        of_input = op.alias(gradient) if in_place else tape.new(numel, element, op.BACKWARD)
        second = tape.new(*of_weight, op.GRADIENTS) if trained else None
        del sums
        return [of_input, second]

    return tape.record(out, [x.node, weight.sink], derivative, held)


def rotated(tape: Tape, x: Tensor) -> Tensor:
    """Queries or keys turned in place, forward and back; only cosines and sines are held."""
    held = [tape.save(op.NO_STORAGE)] if x.node is not None else []
    turned = Tensor(x.storage, x.numel, x.element)
    return tape.record(turned, [x.node], lambda gradient: [op.alias(gradient)], held)


def gated(tape: Tape, gate: Tensor, up: Tensor) -> Tensor:
    """`act(gate) * up`: both are held, and their gradients take their places."""
    numel, element = gate.numel, gate.element
    out = tape.new(numel, element)
    held = [tape.save(gate), tape.save(up)]

    def derivative(_: Tensor) -> list[Tensor | None]:
        return [Tensor(saved.held(), numel, element) for saved in held]

    return tape.record(out, [gate.node, up.node], derivative, held)


def contiguous(tape: Tape, x: Tensor) -> Tensor:
    """A copy that a kernel makes for itself of a slice: the slice's own gradient is that of the copy."""
    copy = tape.new(x.numel, x.element)
    copy.node = x.node
    return copy
