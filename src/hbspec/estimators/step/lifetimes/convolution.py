"""A causal convolution over the tokens of each channel, over shapes.

Source: transformers 5.23.0, `causal_conv1d_fn` of `models/*/modeling_*.py`, which runs where causal-conv1d is not
installed.
"""

from __future__ import annotations

from typing import NamedTuple

from hbspec.estimators.step.lifetimes import layouts
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import ParameterTensor, Tensor
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.modules import Machine, narrowed
from hbspec.estimators.step.lifetimes.tape import Tape


class Convolution(NamedTuple):
    """A convolution.

    Attributes:
        weight, bias: its weights.
        width: channels, each of which is mixed by itself.
        kernel: tokens that it sees.
        rows: of the micro-batch.
        activated: whether an activation follows.
    """

    weight: ParameterTensor
    bias: ParameterTensor | None
    width: int
    kernel: int
    rows: int
    activated: bool = True

    def weights(self) -> list[ParameterTensor]:
        """Its weights."""
        return [self.weight, *([self.bias] if self.bias else [])]


def convolved(machine: Machine, layer: Convolution, x: Tensor) -> Tensor:
    """What it puts out, in the dtype of x.

    It computes the tokens beyond a row's end too, of which a slice is taken; it holds input and weight.
    """
    tape, before = machine.tape, x.element
    x = op.cast(tape, x, layer.weight.element)
    weight: ParameterTensor | Tensor = layer.weight
    if machine.compute is not None:
        x = op.cast(tape, x, machine.compute)
        weight = narrowed(tape, weight, machine.compute, turned=True)
    out = layouts.part(tape, _mixed(tape, layer, x, weight), x.numel)
    return op.cast(tape, op.unary(tape, out, saves="input") if layer.activated else out, before)


def _mixed(tape: Tape, layer: Convolution, x: Tensor, weight: ParameterTensor | Tensor) -> Tensor:
    node = weight.node if isinstance(weight, Tensor) else weight.sink if weight.trained else None
    sink = layer.bias.sink if layer.bias is not None else None
    numel, element, of_weight = x.numel, x.element, weight.numel
    needed = x.node is not None or node is not None or sink is not None
    held = [tape.save(x), tape.save(weight if isinstance(weight, Tensor) else op.NO_STORAGE)] if needed else []
    whole = Form(layer.rows * (layer.kernel - 1) * layer.width, layer.width)
    work = whole.times(layer.kernel)
    tape.multiply(work)
    wanted = x.node is not None, node is not None
    back = work.times(sum(wanted))

    def derivative(_: Tensor) -> list[Tensor | None]:
        tape.multiply(back)
        of_input = tape.new(numel, element, op.BACKWARD) if wanted[0] else None
        of_bias = tape.new(Form(layer.width), element, op.GRADIENTS) if sink is not None else None
        return [of_input, tape.new(of_weight, element, op.GRADIENTS) if wanted[1] else None, of_bias]

    copied = tape.new(numel, element) if tape.on_gpu else None
    out = tape.record(tape.new(whole, element), [x.node, node, sink], derivative, held)
    del copied
    return out
