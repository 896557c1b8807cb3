"""Falcon's keys and values over shapes, and attention with fewer heads of keys than a kernel takes.

Sources: transformers 5.23.0, `models/falcon/modeling_falcon.py`, `FalconAttention`; torch 2.13,
`aten/native/transformers/attention.cpp`, `_scaled_dot_product_attention_math`, and `sdp_utils_cpp.h`,
`check_batch_size_and_num_heads_dense`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hbspec.catalog.dtypes import FLOAT32
from hbspec.estimators.step.lifetimes import attention, layouts, products
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import Tensor
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.linear import linear
from hbspec.estimators.step.lifetimes.modules import Linear, Machine
from hbspec.estimators.step.lifetimes.rotation import rotated

if TYPE_CHECKING:
    from hbspec.estimators.step.lifetimes.decoder import DecoderLayer

GATHERED = "gathered"
"""Of one product, queries are a slice, and keys and values are gathered by their index."""


def taken(
    machine: Machine, fused: Tensor, key_value_heads: int, module: Linear, output: Linear
) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values of one product; several heads of keys and values are copied for every query."""
    tape, whole, each = machine.tape, Form(0, output.columns), Form(0, (module.rows - output.columns) // 2)
    query = layouts.part(tape, fused, whole)
    key, value = (layouts.gathered(tape, fused, each, op.NO_STORAGE) for _ in range(2))
    if key_value_heads == 1:
        return query, key, value
    return op.clone(tape, query), layouts.spread(tape, key, whole), layouts.spread(tape, value, whole)


def attend(machine: Machine, heads: int, copied: bool, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """`scaled_dot_product_attention` of queries by one head of keys, which no kernel takes: all scores, in fp32.

    A GPU adds the mask into the scores, and makes sure of rows without any token (`_safe_softmax`).

    Args:
        machine: what runs it.
        heads: of queries.
        copied: whether heads are copied to be one stack of matrices, as those of one row need not.
        query: rotated.
        key: rotated.
        value: as gathered.
    """
    tape = machine.tape
    tape.term = "attention"
    if machine.compute is not None:
        query, key, value = (op.cast(tape, x, machine.compute) for x in (query, key, value))
    before, whole = query.element, query.numel
    scores, work = Form(0, 0, heads), Form(0, 0, whole.per_token)
    _bias = tape.new(Form(0, 0, 1), before)
    query, key, value = (op.cast(tape, x, FLOAT32) for x in (query, key, value))
    scaled = op.unary(tape, query)
    weights = products.product(
        tape,
        _stacked(machine, scaled, whole, copied),
        _stacked(machine, op.unary(tape, key), whole, copied),
        scores,
        work,
    )
    if not tape.on_gpu:
        weights = op.offset(tape, weights, before)
    weights = op.softmax(tape, weights, FLOAT32)
    if tape.on_gpu:
        empty, checked = tape.new(scores, 1), tape.new(scores, FLOAT32)
        del empty, checked
    _returned = op.cast(tape, weights, before)  # which nobody asks for
    out = products.product(tape, weights, _stacked(machine, value, whole, copied), whole, work)
    return op.clone(tape, op.cast(tape, out, before))


def attend_eagerly(
    machine: Machine, heads: int, copied: bool, element: int, query: Tensor, key: Tensor, value: Tensor
) -> tuple[Tensor, Tensor]:
    """Falcon's own attention with all scores, whose softmax is in the dtype of the attention's input.

    Args:
        machine: what runs it.
        heads: of queries.
        copied: as in `attend`.
        element: bytes of a number of the attention's input.
        query: rotated.
        key: rotated.
        value: as gathered.
    """
    tape, whole = machine.tape, query.numel
    tape.term = "attention"
    narrow = query.element if machine.compute is None else machine.compute
    work = Form(0, 0, whole.per_token)
    scores = products.product(
        tape,
        _stacked(machine, op.cast(tape, query, narrow), whole, copied),
        _stacked(machine, op.cast(tape, key, narrow), whole, copied),
        Form(0, 0, heads),
        work,
    )
    scores = layouts.laid_out(tape, scores)  # /= sqrt(head_dim)
    masked = op.offset(tape, scores, machine.stream)
    scores = op.softmax(tape, masked, element)
    del masked
    values = _stacked(machine, op.cast(tape, value, narrow), whole, copied)
    return op.clone(tape, products.product(tape, op.cast(tape, scores, narrow), values, whole, work)), scores


def _stacked(machine: Machine, x: Tensor, whole: Form, copied: bool) -> Tensor:
    """A matrix for every query head of every row."""
    if x.numel == whole:
        return op.clone(machine.tape, x) if copied else x
    return (layouts.spread if copied else layouts.viewed_often)(machine.tape, x, whole)


def gathered_attention(machine: Machine, layer: DecoderLayer, x: Tensor) -> tuple[Tensor, Tensor | None]:
    """Attention over keys and values that are gathered; what they are gathered from lives until it is done."""
    module, out = layer.linears["qkv_proj"], layer.linears["o_proj"]
    fused = linear(machine, x, module, "attention")
    query, key, value = taken(machine, fused, layer.key_value_heads, module, out)
    if layer.rotation is not None:
        query, key = rotated(machine, layer.rotation, query, key)
    weights = None
    if layer.attention == "eager":
        attended, weights = attend_eagerly(machine, layer.heads, layer.several_rows, x.element, query, key, value)
    elif layer.key_value_heads == 1 and layer.attention == "sdpa":
        attended = attend(machine, layer.heads, layer.several_rows, query, key, value)
    else:
        keys = 1 if layer.key_value_heads == 1 else layer.heads
        attended, weights = attention.attend(machine, None, layer.masked, (layer.heads, keys), query, key, value)
    return linear(machine, attended, out, "attention"), weights
