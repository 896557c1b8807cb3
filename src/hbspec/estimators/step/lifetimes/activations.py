"""Activations of MLPs without a gate over shapes, with what each keeps.

Source: transformers 5.23.0, `activations.py`.
"""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog.dtypes import FLOAT32
from hbspec.catalog.weights import XIELU
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import ParameterTensor, Tensor
from hbspec.estimators.step.lifetimes.modules import Machine


class Activation(NamedTuple):
    """An activation.

    Attributes:
        name: in `ACT2FN`.
        weights: its own: those of xIELU, for positive and for negative numbers.
    """

    name: str
    weights: tuple[ParameterTensor, ...] = ()


def activated(machine: Machine, how: Activation, x: Tensor) -> Tensor:
    """An activation of what an MLP projects up."""
    tape = machine.tape
    tape.term = "mlp"
    if how.name == XIELU:
        return _xielu(machine, how, x)
    if how.name == "relu2":  # autocast runs powers in fp32
        x = _wide(machine, op.unary(tape, x, saves="output"))
        return op.unary(tape, x, saves="input", temporaries=2)
    if how.name == "gelu_new":
        return _composed(machine, x)
    if how.name == "quick_gelu":  # x * sigmoid(1.702 x)
        return op.multiply(tape, x, op.unary(tape, op.unary(tape, x), saves="output"))
    return op.unary(tape, x, saves="output" if how.name == "relu" else "input")


def _composed(machine: Machine, x: Tensor) -> Tensor:
    """`NewGELUActivation`: 0.5 x (1 + tanh(c (x + d x³)))."""
    tape = machine.tape
    half = op.unary(tape, x)
    cubed = op.unary(tape, op.unary(tape, _wide(machine, x), saves="input", temporaries=2))
    inner = op.unary(tape, op.add(tape, x, cubed, "mlp"))
    del cubed
    return op.multiply(tape, half, op.offset(tape, op.unary(tape, inner, saves="output"), 0))


def _wide(machine: Machine, x: Tensor) -> Tensor:
    return x if machine.compute is None else op.cast(machine.tape, x, FLOAT32)


def _xielu(machine: Machine, how: Activation, x: Tensor) -> Tensor:
    """`XIELUActivation` without the kernel of its own package; autocast makes its weights fp32."""
    tape, (positive, negative) = machine.tape, how.weights
    mask = tape.new(x.numel, 1)
    above = op.multiply(tape, op.weigh(tape, x, positive), x)
    above = op.add(tape, above, op.unary(tape, x), "mlp")
    below = op.unary(tape, _wide(machine, _minimum(machine, x)), saves="output", temporaries=1)
    below = op.weigh(tape, op.less(tape, below, x), negative)
    below = op.add(tape, below, op.unary(tape, x), "mlp")
    return _either(machine, mask, above, below)


def _minimum(machine: Machine, x: Tensor) -> Tensor:
    """`torch.min(x, epsilon)`."""
    tape, numel, element = machine.tape, x.numel, x.element
    held = [tape.save(x)] if x.node is not None else []

    def derivative(_: Tensor) -> list[Tensor]:
        half, equal = tape.new(numel, element, op.BACKWARD), tape.new(numel, 1, op.BACKWARD)
        result, above = tape.new(numel, element, op.BACKWARD), tape.new(numel, 1, op.BACKWARD)
        del half, equal, above
        return [result]

    return tape.record(tape.new(numel, element), [x.node], derivative, held)


def _either(machine: Machine, mask: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """`torch.where`."""
    tape, numel, element = machine.tape, first.numel, first.element
    held = [tape.save(mask)] if first.node is not None else []
    out = tape.new(numel, element)
    nodes = first.node, second.node
    return tape.record(out, nodes, lambda _: [tape.new(numel, element, op.BACKWARD) for _ in range(2)], held)
