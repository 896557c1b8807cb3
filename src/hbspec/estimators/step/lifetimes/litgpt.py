"""LitGPT's attention over shapes: one product for queries, keys and values, and its own adapters on that.

What else its layers do is what transformers' do. The gathering of several convolutions where heads share keys, a copy
that is gone before the sum, is left out. Source: litgpt 0.5.12, `model.py` (`CausalSelfAttention`, `apply_rope`) and
`lora.py` (`LoRAQKVLinear`).
"""

from __future__ import annotations

from hbspec.catalog.dtypes import FLOAT32
from hbspec.estimators.step.lifetimes import layouts
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.attention import attend
from hbspec.estimators.step.lifetimes.autograd import Tensor
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.linear import linear
from hbspec.estimators.step.lifetimes.modules import ADAPTERS, Adapter, Linear, Machine, product


def attention(machine: Machine, joint: Linear, out: Linear, heads: tuple[int, int], x: Tensor) -> Tensor:
    """Attention of a layer. Values stay a view of the product, so that all of it is held, unless heads share them.

    Args:
        machine: what runs it.
        joint: the projection to queries, keys and values, with the adapter of all three.
        out: the projection of the output.
        heads: of queries, and of keys.
        x: the normed residual stream.
    """
    tape, key = machine.tape, (joint.rows - out.columns) // 2
    whole = projected(machine, x, joint)
    tape.term = "attention"
    query, keys, values = layouts.split(tape, whole, [Form(0, width) for width in (out.columns, key, key)])
    del whole
    query, keys = rotated(machine, query), rotated(machine, keys)
    if heads[0] != heads[1]:
        keys, values = (layouts.spread(tape, shared, Form(0, out.columns)) for shared in (keys, values))
    mixed, _ = attend(machine, None, False, (heads[0], heads[0]), query, keys, values)
    del query, keys, values
    return linear(machine, mixed, out, "attention")


def projected(machine: Machine, x: Tensor, joint: Linear) -> Tensor:
    """The product for all three, and what the adapter adds to it.

    An adapter on some of the three is copied into zeros of full width, and held for that (`index_copy`).
    """
    tape = machine.tape
    whole = linear(machine, x, joint._replace(adapter=None), "attention")
    if joint.adapter is None:
        return whole
    tape.term = ADAPTERS
    added = op.unary(tape, _added(machine, x, joint, joint.adapter))  # * scaling
    tape.term = "attention"
    return op.add(tape, whole, added)


def _added(machine: Machine, x: Tensor, joint: Linear, adapter: Adapter) -> Tensor:
    tape, filled = machine.tape, adapter.fills or joint.rows
    low, work = Form(0, adapter.rank), Form(0, adapter.rank * joint.columns)
    narrow = product(machine, op.dropout(tape, x) if adapter.dropout else x, adapter.down, low, work)
    wide = product(machine, narrow, adapter.up, Form(0, filled), Form(0, adapter.up.numel.fixed))
    del narrow
    return wide if adapter.fills is None else layouts.placed(tape, wide, joint.out)


def rotated(machine: Machine, x: Tensor) -> Tensor:
    """`x * cos + rotated * sin` in fp32, in which cosines and sines are; then put beside what is not rotated."""
    tape = machine.tape
    tape.term = "attention"
    x = layouts.laid_out(tape, x)
    straight = op.turn(tape, x, FLOAT32)
    turned = op.add(tape, straight, op.turn(tape, layouts.rotate_half(tape, x), FLOAT32))
    del straight
    return op.clone(tape, op.cast(tape, turned, x.element))
