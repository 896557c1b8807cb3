"""A layer of a tower for images, run over shapes as transformers' modeling code runs it.

A function's locals live as long as they do there. Patches attend to all of their image, or to those of their window.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hbspec.catalog.dtypes import FLOAT32
from hbspec.estimators.step.lifetimes import layouts, products
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.activations import Activation
from hbspec.estimators.step.lifetimes.autograd import Tensor
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.linear import linear
from hbspec.estimators.step.lifetimes.mlp import inner
from hbspec.estimators.step.lifetimes.modules import Linear, Machine, Norm, norm

TERM = "images"
"""The term of what a tower computes."""


class Around(NamedTuple):
    """What all layers of a tower share.

    Attributes:
        positions: their cosines and sines, where queries and keys are rotated.
        mask: of all patches of a micro-batch, where they attend to their own image by it.
    """

    positions: tuple[Tensor, Tensor] | None = None
    mask: Tensor | None = None


class VisionLayer(NamedTuple):
    """A layer's modules.

    Attributes:
        linears: `qkv_proj` or `q_proj`, `k_proj` and `v_proj`; `o_proj`; `gate_proj`, `up_proj` and `down_proj`.
        first, second: the norms before attention and before the MLP.
        heads: of the attention.
        wide: whether queries and keys are rotated in fp32.
        listed: whether attention runs image by image, or window by window, and the outputs are put together.
        scores: how many pairs each patch attends to.
        eager: whether all scores are there at once.
        activation: the MLP's.
    """

    linears: Mapping[str, Linear]
    first: Norm
    second: Norm
    heads: int
    wide: bool
    listed: bool
    scores: Form
    eager: bool
    activation: Activation


def vision_layer(machine: Machine, layer: VisionLayer, around: Around, x: Tensor) -> Tensor:
    """One layer over the patches."""
    attended = _attention(machine, layer, around, norm(machine, x, layer.first, TERM))
    x = op.add(machine.tape, x, attended, TERM)
    del attended
    found = _mlp(machine, layer, norm(machine, x, layer.second, TERM))
    return op.add(machine.tape, x, found, TERM)


def _mlp(machine: Machine, layer: VisionLayer, x: Tensor) -> Tensor:
    return linear(machine, inner(machine, layer.linears, layer.activation, x), layer.linears["down_proj"], TERM)


def _attention(machine: Machine, layer: VisionLayer, around: Around, x: Tensor) -> Tensor:
    tape = machine.tape
    query, key, value = _projected(machine, layer, x)
    tape.term = TERM
    if around.positions is not None:
        query, key = _rotated(machine, layer, around.positions, query, key)
    found = _attend(machine, layer, around, query, key, value)
    out = op.clone(tape, found) if layer.listed else found  # `cat` of the images or windows, which stay in their list
    return linear(machine, out, layer.linears["o_proj"], TERM)


def _projected(machine: Machine, layer: VisionLayer, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    linears = layer.linears
    if "qkv_proj" not in linears:
        query, key, value = (linear(machine, x, linears[name], TERM) for name in ("q_proj", "k_proj", "v_proj"))
        return query, key, value
    fused = linear(machine, x, linears["qkv_proj"], TERM)
    query, key, value = layouts.split(machine.tape, fused, [Form(0, linears["o_proj"].columns)] * 3)
    return query, key, value


def _rotated(
    machine: Machine, layer: VisionLayer, positions: tuple[Tensor, Tensor], query: Tensor, key: Tensor
) -> tuple[Tensor, Tensor]:
    """`apply_rotary_pos_emb_vision`, and Pixtral's `apply_rotary_pos_emb`."""
    tape, elements = machine.tape, (query.element, key.element)
    if layer.wide:
        query, key = op.cast(tape, query, FLOAT32), op.cast(tape, key, FLOAT32)
    turned = _turned(machine, positions, query), _turned(machine, positions, key)
    if not layer.wide:
        return turned
    return op.cast(tape, turned[0], elements[0]), op.cast(tape, turned[1], elements[1])


def _turned(machine: Machine, positions: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
    """`x * cos + rotate_half(x) * sin`."""
    tape, (cosines, sines) = machine.tape, positions
    straight = op.turn(tape, x, cosines.element, cosines)
    return op.add(tape, straight, op.turn(tape, layouts.rotate_half(tape, x), sines.element, sines), TERM)


def _attend(machine: Machine, layer: VisionLayer, around: Around, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    tape = machine.tape
    if machine.compute is not None:
        query, key, value = (op.cast(tape, x, machine.compute) for x in (query, key, value))
    width = query.numel.per_token // layer.heads
    work = layer.scores.times(width)
    if not layer.eager:
        return products.attention(tape, query, key, value, Form(0, layer.heads), around.mask, work)
    weights = op.unary(tape, products.product(tape, query, key, layer.scores, work))  # * scaling
    if around.mask is not None:
        weights = op.offset(tape, weights, around.mask.element)
    weights = op.cast(tape, op.softmax(tape, weights, FLOAT32), query.element)
    return op.clone(tape, products.product(tape, weights, value, value.numel, work))
