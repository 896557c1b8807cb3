"""Attention over shapes: `scaled_dot_product_attention` by a flash kernel, and the eager one with all scores.

Sources: transformers 5.23.0, `integrations/sdpa_attention.py` and `eager_attention_forward` of the models.
"""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog.dtypes import FLOAT32
from hbspec.estimators.step.lifetimes import layouts, products
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import Tensor
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.modules import Machine
from hbspec.estimators.step.lifetimes.tape import Tape

WIDEST_SHARED = 256
"""Widest heads of keys that a kernel shares among queries (transformers 5.23.0, `use_gqa_in_sdpa`)."""


class Eager(NamedTuple):
    """Attention with all scores.

    Attributes:
        capped: whether they go through a hyperbolic tangent.
        sinks: whether each row gets one more, learned score, which takes its share of the softmax and is dropped.
        dropped: whether some of them are dropped.
        copied: whether heads of several rows are copied to be one stack of matrices, as those of one row need not.
        apart: whether queries and keys lie head by head already, and values do not.
    """

    capped: bool
    sinks: bool
    copied: bool
    dropped: bool = False
    apart: bool = False


def attend(
    machine: Machine,
    eager: Eager | None,
    masked: bool,
    heads: tuple[int, int],
    query: Tensor,
    key: Tensor,
    value: Tensor,
) -> tuple[Tensor, Tensor | None]:
    """The heads' outputs, side by side, and the weights where all of them are there: the caller gets both.

    Args:
        machine: what runs it.
        eager: None is a flash kernel.
        masked: whether there is a mask; a kernel takes it in its own dtype, and cannot share keys among queries then.
        heads: of queries, and of keys.
        query: rotated.
        key: rotated.
        value: as projected.
    """
    tape = machine.tape
    tape.term = "attention"
    out = query.numel if key.numel == value.numel else value.numel  # only heads of a latent differ in width
    if eager is not None:
        return _eager(machine, eager, heads, query, key, value, out)
    if masked or query.numel.per_token // heads[0] > WIDEST_SHARED:
        key, value = (_repeated(machine, x, heads) for x in (key, value))
    if machine.compute is not None:
        query, key, value = (op.cast(tape, x, machine.compute) for x in (query, key, value))
    bias = tape.new(Form(0, 0, 1), query.element) if masked else None
    scores, work, values = Form(0, heads[0]), Form(0, 0, query.numel.per_token), Form(0, 0, out.per_token)
    return products.attention(tape, query, key, value, scores, bias, work, out, values), None


def _repeated(machine: Machine, x: Tensor, heads: tuple[int, int]) -> Tensor:
    """Keys or values copied for every query head (`repeat_kv`)."""
    if heads[0] == heads[1]:
        return x
    if heads[1] == 1:
        return layouts.viewed_often(machine.tape, x, Form(0, x.numel.per_token * heads[0]))
    return layouts.spread(machine.tape, x, Form(0, x.numel.per_token // heads[1] * heads[0]))


def _eager(
    machine: Machine, eager: Eager, heads: tuple[int, int], query: Tensor, key: Tensor, value: Tensor, out: Form
) -> tuple[Tensor, Tensor]:
    tape, scores, work = machine.tape, Form(0, 0, heads[0]), Form(0, 0, query.numel.per_token)
    second = Form(0, 0, out.per_token)
    narrow = query.element if machine.compute is None else machine.compute
    before = query.element
    keys, values = _repeated(machine, key, heads), _repeated(machine, value, heads)
    copied = eager.copied and heads[1] in (1, heads[0])  # else they were copied for every query head
    weights = products.product(
        tape,
        _batched(tape, op.cast(tape, query, narrow), eager.copied and not eager.apart),
        _batched(tape, op.cast(tape, keys, narrow), copied and not eager.apart),
        scores,
        work,
    )
    weights = op.unary(tape, weights)  # * scaling
    if eager.capped:
        weights = op.capped(tape, weights)
    weights = op.offset(tape, weights, machine.stream)  # + mask
    if eager.sinks:
        with_sink = Form(0, heads[0], heads[0])
        shifted = layouts.spread(tape, weights, with_sink)
        shifted = op.centred(tape, shifted)
        weights = layouts.part(tape, op.softmax(tape, shifted, shifted.element), scores)
        del shifted
        weights, values = op.cast(tape, weights, narrow), op.cast(tape, values, narrow)
        return op.clone(tape, products.product(tape, weights, values, out, second)), weights
    fused = machine.float16 and weights.element < FLOAT32
    weights = op.cast(tape, op.softmax(tape, weights, FLOAT32, fused=fused), before)
    if eager.dropped:
        weights = op.dropout(tape, weights)
    values = op.cast(tape, values, narrow)
    values = _batched(tape, values, copied)
    result = products.product(tape, op.cast(tape, weights, narrow), values, out, second)
    return op.clone(tape, result), weights


def _batched(tape: Tape, x: Tensor, copied: bool) -> Tensor:
    """One matrix for each head of each row, of which the product makes a copy where it is not a view of x."""
    return op.clone(tape, x) if copied else x
