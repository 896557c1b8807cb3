"""A layer's state space, Mamba-2, over shapes: a projection, a convolution, the scan, a gated norm.

Source: transformers 5.23.0, `GraniteMoeHybridMambaLayer` of `models/granitemoehybrid/modeling_granitemoehybrid.py`, as
it runs without the packages mamba-ssm and causal-conv1d, which the shipped job does not install.
"""

from __future__ import annotations

from hbspec.catalog.dtypes import FLOAT32
from hbspec.estimators.step.lifetimes import layouts
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import ParameterTensor, Tensor
from hbspec.estimators.step.lifetimes.chunked_scan import chunked_scan
from hbspec.estimators.step.lifetimes.convolution import convolved
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.linear import linear
from hbspec.estimators.step.lifetimes.modules import Machine, scaled
from hbspec.estimators.step.lifetimes.state_space_modules import StateSpaceModules
from hbspec.estimators.step.lifetimes.tape import Tape

TERM = "attention"


def state_space(machine: Machine, layer: StateSpaceModules, x: Tensor) -> Tensor:
    """The output of a state space; what has a name in the module lives until it is done."""
    tape, sizes, element = machine.tape, layer.sizes, x.element
    x = _without_padding(tape, layer, x)
    if sizes.scaled:
        x = op.unary(tape, x)
    projected = linear(machine, x, layer.linears["in_proj"], TERM)
    tape.term = TERM
    if sizes.scaled:
        projected = op.turn(tape, projected, projected.element)
    decay = _decay(tape, layer.decay)
    gate, mixed, steps = layouts.split(
        tape, projected, [Form(0, width) for width in (sizes.inner, sizes.convolved, sizes.heads)]
    )
    mixed = _without_padding(tape, layer, convolved(machine, layer.convolution, mixed))
    parts = layouts.split(tape, mixed, [Form(0, width) for width in (sizes.inner, sizes.shared, sizes.shared)])
    del x
    scanned = chunked_scan(machine, layer, parts, steps, decay)
    out = _gated(tape, layer, scanned, gate)
    tape.term = TERM
    return linear(machine, op.cast(tape, out, element), layer.linears["out_proj"], TERM)


def _without_padding(tape: Tape, layer: StateSpaceModules, x: Tensor) -> Tensor:
    """The same with zeros where rows are padded."""
    tape.term = TERM
    return op.turn(tape, x, x.element) if layer.masked else x


def _decay(tape: Tape, weight: ParameterTensor) -> Tensor:
    """`-exp(A_log)`, a number of each head, in fp32."""
    numel = weight.numel
    wide = tape.new(numel, FLOAT32) if weight.element != FLOAT32 else Tensor(None, numel, FLOAT32)
    wide = tape.record(wide, [weight.sink], lambda _: [tape.new(numel, weight.element, op.GRADIENTS)])
    return op.unary(tape, op.unary(tape, wide, saves="output", term=op.GRADIENTS), term=op.GRADIENTS)


def _gated(tape: Tape, layer: StateSpaceModules, x: Tensor, gate: Tensor) -> Tensor:
    """Weighed by its gate, in fp32 if each group is normed before that or behind it (`RMSNormGated`)."""
    if layer.weight is None:
        return op.multiply(tape, x, op.unary(tape, gate, saves="input"))
    tape.term = "norms"
    if layer.sizes.norm_first:
        x = op.weigh(tape, scaled(tape, x, Form(0, layer.sizes.groups)), layer.weight)
        return op.multiply(tape, x, op.unary(tape, op.cast(tape, gate, FLOAT32), saves="input"))
    opened = op.unary(tape, op.cast(tape, gate, FLOAT32), saves="input")
    x = op.multiply(tape, x, opened)
    del opened
    return op.weigh(tape, scaled(tape, x, Form(0, layer.sizes.groups)), layer.weight)
