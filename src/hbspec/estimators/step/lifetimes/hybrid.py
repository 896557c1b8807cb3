"""A layer with a state space beside its attention, over shapes, each side multiplied by numbers of the config.

Source: transformers 5.23.0, `FalconH1DecoderLayer` and `FalconH1MLP` of `models/falcon_h1/modeling_falcon_h1.py`.
"""

from __future__ import annotations

from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import Tensor
from hbspec.estimators.step.lifetimes.decoder import DecoderLayer, attention, normed
from hbspec.estimators.step.lifetimes.embedding import LAYER_INPUTS
from hbspec.estimators.step.lifetimes.linear import linear
from hbspec.estimators.step.lifetimes.mixers import Mixer
from hbspec.estimators.step.lifetimes.modules import Machine


def hybrid_layer(machine: Machine, layer: DecoderLayer, mixer: Mixer, x: Tensor) -> Tensor:
    """The residual stream behind the layer; what both sides put out lives until it is done."""
    tape, residual = machine.tape, x
    x = normed(machine, layer, x, "before_attention")
    mixed = op.unary(tape, mixer.forward(machine, x))
    tape.term = "attention"
    attended, _weights = attention(machine, layer, op.unary(tape, x))
    attended = op.unary(tape, attended)
    x = op.add(tape, mixed, attended)
    x = op.add(tape, residual, x, LAYER_INPUTS)
    residual = x
    x = normed(machine, layer, x, "before_mlp")
    x = _mlp(machine, layer, x)
    return op.add(tape, residual, x, LAYER_INPUTS)


def _mlp(machine: Machine, layer: DecoderLayer, x: Tensor) -> Tensor:
    """`up(x) * act(gate(x) * number)`, projected down and multiplied again."""
    tape, linears = machine.tape, layer.linears
    up = linear(machine, x, linears["up_proj"], "mlp")
    gate = op.unary(tape, linear(machine, x, linears["gate_proj"], "mlp"))
    tape.term = "mlp"
    opened = op.unary(tape, gate, saves="input")
    del gate
    out = op.multiply(tape, up, opened)
    del up, opened
    return op.unary(tape, linear(machine, out, linears["down_proj"], "mlp"))
