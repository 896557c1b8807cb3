"""A layer's linear attention over shapes: projections, a convolution, the gated delta rule, a gated norm.

Source: transformers 5.23.0, `GatedDeltaNet` of `models/qwen3_5/modeling_qwen3_5.py` and
`models/qwen3_next/modeling_qwen3_next.py`, as it runs without the packages flash-linear-attention and causal-conv1d.
"""

from __future__ import annotations

from hbspec.catalog.dtypes import FLOAT32
from hbspec.catalog.linear_attention import LinearAttention
from hbspec.estimators.step.lifetimes import layouts
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import Tensor
from hbspec.estimators.step.lifetimes.convolution import convolved
from hbspec.estimators.step.lifetimes.delta import delta_rule
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.linear import linear
from hbspec.estimators.step.lifetimes.linear_modules import LinearAttentionModules
from hbspec.estimators.step.lifetimes.modules import Machine, scaled

TERM = "attention"


def linear_attention(machine: Machine, layer: LinearAttentionModules, x: Tensor) -> Tensor:
    """The output of linear attention; what has a name in the module lives until it is done."""
    tape, sizes = machine.tape, layer.sizes
    if layer.masked:
        tape.term = TERM
        x = op.turn(tape, x, x.element)
    mixed, gate, beta, decay, _held = _projected(machine, layer, x)
    tape.term = TERM
    mixed = convolved(machine, layer.convolution, mixed)
    widths = [Form(0, width) for width in (sizes.key_size, sizes.key_size, sizes.value_size)]
    query, key, value = layouts.split(tape, mixed, widths)
    learned = op.unary(tape, beta, saves="output")
    fades = _fading(machine, layer, decay)
    out = delta_rule(machine, sizes, layer.rows, (query, key, value), fades, learned)
    out = _gated_norm(machine, layer, out, gate)
    return linear(machine, out, layer.linears["out_proj"], TERM)


def _projected(
    machine: Machine, layer: LinearAttentionModules, x: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, list[Tensor]]:
    """Queries, keys and values side by side, gates, what is learned, what fades, and what else lives."""
    names = [name for name in layer.linears if name != "out_proj"]
    found = [linear(machine, x, layer.linears[name], TERM) for name in names]
    if len(found) > 2:
        mixed, gate, beta, decay = found
        return mixed, gate, beta, decay, []
    machine.tape.term = TERM
    return _taken_apart(machine, layer.sizes, *found)


def _taken_apart(
    machine: Machine, sizes: LinearAttention, wide: Tensor, narrow: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, list[Tensor]]:
    """Of two projections that lie key head by key head, each part copied (`fix_query_key_value_ordering`)."""
    tape, heads = machine.tape, Form(0, sizes.num_value_heads)
    widths = [Form(0, width) for width in (sizes.key_size, sizes.key_size, sizes.value_size, sizes.value_size)]
    query, key, value, gate = layouts.split(tape, wide, widths)
    beta, decay = layouts.split(tape, narrow, [heads, heads])
    value, gate, beta, decay = (op.clone(tape, x) for x in (value, gate, beta, decay))
    query, key = (op.clone(tape, x) for x in (query, key))
    mixed = layouts.joined(tape, query, key, value)
    return mixed, gate, beta, decay, [wide, narrow]


def _fading(machine: Machine, layer: LinearAttentionModules, x: Tensor) -> Tensor:
    """`-exp(A_log) * softplus(x + dt_bias)`, in fp32."""
    tape, steps = machine.tape, layer.steps
    x = op.cast(tape, x, FLOAT32)
    shifted = tape.record(
        tape.new(x.numel, FLOAT32), [x.node, steps.sink], lambda gradient: [op.alias(gradient), op.alias(gradient)]
    )
    shifted = op.fitting(tape, shifted, (x, steps))
    return op.weigh(tape, op.unary(tape, shifted, saves="input"), layer.decay, copied=True)


def _gated_norm(machine: Machine, layer: LinearAttentionModules, x: Tensor, gate: Tensor) -> Tensor:
    """Each head normed, then weighed by its gate in fp32 (`RMSNormGated`)."""
    tape, before = machine.tape, x.element
    tape.term = "norms"
    x = scaled(tape, op.cast(tape, x, FLOAT32), Form(0, layer.sizes.num_value_heads))
    x = op.weigh(tape, op.cast(tape, x, before), layer.weight)
    opened = op.unary(tape, op.cast(tape, gate, FLOAT32), saves="input")
    return op.cast(tape, op.multiply(tape, x, opened), before)
