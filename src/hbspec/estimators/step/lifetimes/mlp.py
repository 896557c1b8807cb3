"""A dense MLP over shapes, up to what it projects down."""

from __future__ import annotations

from collections.abc import Mapping

from hbspec.estimators.step.lifetimes import layouts, liger
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.activations import Activation, activated
from hbspec.estimators.step.lifetimes.autograd import Tensor
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.linear import linear
from hbspec.estimators.step.lifetimes.modules import Linear, Machine

CHUNKS = "gate_up_chunks"
"""The projection of gate and up whose halves are chunks."""


def inner(machine: Machine, linears: Mapping[str, Linear], activation: Activation, x: Tensor) -> Tensor:
    """What an MLP projects down."""
    if CHUNKS in linears:
        return chunked_gate(machine, linears, x)
    if "gate_up_proj" in linears:
        return _fused_gate(machine, linears, x)
    if "gate_proj" in linears:
        return _gate(machine, linears, x)
    return activated(machine, activation, linear(machine, x, linears["up_proj"], "mlp"))


def _gate(machine: Machine, linears: Mapping[str, Linear], x: Tensor) -> Tensor:
    """`act(gate(x)) * up(x)`."""
    gate = linear(machine, x, linears["gate_proj"], "mlp")
    if machine.liger:
        return liger.gated(machine.tape, gate, linear(machine, x, linears["up_proj"], "mlp"))
    machine.tape.term = "mlp"
    activated = op.unary(machine.tape, gate, saves="input")
    del gate
    up = linear(machine, x, linears["up_proj"], "mlp")
    machine.tape.term = "mlp"
    return op.multiply(machine.tape, activated, up)


def chunked_gate(machine: Machine, linears: Mapping[str, Linear], x: Tensor) -> Tensor:
    """`act(gate) * up` of the two chunks of one product."""
    both = linear(machine, x, linears[CHUNKS], "mlp")
    machine.tape.term = "mlp"
    gate, up = layouts.halves(machine.tape, both)
    del both
    return op.multiply(machine.tape, op.unary(machine.tape, gate, saves="input"), up)


def _fused_gate(machine: Machine, linears: Mapping[str, Linear], x: Tensor) -> Tensor:
    """`up * act(gate)` of the two halves of one product."""
    both = linear(machine, x, linears["gate_up_proj"], "mlp")
    machine.tape.term = "mlp"
    if machine.liger:
        return liger.gated(
            machine.tape, *(liger.contiguous(machine.tape, x) for x in layouts.halves(machine.tape, both))
        )
    half = Form(0, linears["gate_up_proj"].rows // 2)
    gate, up = layouts.part(machine.tape, both, half), layouts.part(machine.tape, both, half)
    del both
    return op.multiply(machine.tape, up, op.unary(machine.tape, gate, saves="input"))
