"""Rotary positions over shapes: queries and keys times cosines, and their turned halves times sines.

Sources: transformers 5.23.0, `apply_rotary_pos_emb` and `rotate_half` of `models/*/modeling_*.py`.
"""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog.dtypes import FLOAT32
from hbspec.estimators.step.lifetimes import layouts, liger
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import Tensor
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.modules import Machine, unweighted_norm
from hbspec.estimators.step.lifetimes.tape import Tape


class Rotation(NamedTuple):
    """How queries and keys are rotated.

    Attributes:
        complex_numbers: as complex numbers, and then normed without weights, as Llama 4's.
        constant: bytes of a cosine.
        cast: whether they are cast to fp32: "before", or "each" of the two that are multiplied; "" where not.
        returned: whether they are cast back then.
        anew: numbers a token of the cosines and sines that a layer makes for itself; 0 where all layers share them.
        share: numbers of a head that are rotated, where not all are, and of how many; else 0.
        laid_out: whether they are views of a product's output, so that their gradients are copied to fit.
    """

    complex_numbers: bool
    constant: int
    cast: str
    returned: bool
    anew: int
    share: tuple[int, int]
    laid_out: bool = True


def rotated(machine: Machine, how: Rotation, query: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
    """Queries and keys, rotated."""
    tape = machine.tape
    tape.term = "attention"
    if how.complex_numbers:
        return _turned_complex(machine, query, key)
    if machine.liger:
        return liger.rotated(tape, query), liger.rotated(tape, key)
    elements = query.element, key.element
    if how.cast == "before":
        query, key = op.cast(tape, query, FLOAT32), op.cast(tape, key, FLOAT32)
    spread = tape.new(Form(0, how.anew), how.constant) if how.anew else op.NO_STORAGE
    query, key = turned(machine, how, query, spread), turned(machine, how, key, spread)
    if how.returned:
        query, key = op.cast(tape, query, elements[0]), op.cast(tape, key, elements[1])
    return query, key


def turned(machine: Machine, how: Rotation, x: Tensor, constant: Tensor) -> Tensor:
    """`x * cos + rotate_half(x) * sin`, of a share of each head perhaps."""
    tape = machine.tape
    if how.laid_out:
        x = layouts.laid_out(tape, x)
    if not how.share[0]:
        return _turned_whole(machine, how, x, constant)
    some, of = how.share
    turned = _turned_whole(machine, how, layouts.part(tape, x, Form(0, x.numel.per_token // of * some)), constant)
    rest = layouts.part(tape, x, Form(0, x.numel.per_token // of * (of - some)))
    return layouts.joined(tape, turned, rest)


def _turned_whole(machine: Machine, how: Rotation, x: Tensor, constant: Tensor) -> Tensor:
    tape = machine.tape
    straight = op.turn(tape, _each(tape, how, x), how.constant, constant)
    return op.add(tape, straight, op.turn(tape, _each(tape, how, layouts.rotate_half(tape, x)), how.constant, constant))


def _each(tape: Tape, how: Rotation, x: Tensor) -> Tensor:
    return op.cast(tape, x, FLOAT32) if how.cast == "each" else x


def _turned_complex(machine: Machine, query: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
    """Llama 4's rotation by complex numbers, in fp32, and its norms."""
    tape = machine.tape
    elements = query.element, key.element
    wide = [op.cast(tape, x, FLOAT32) for x in (query, key)]
    turned = [op.turn(tape, x, FLOAT32) for x in wide]
    query, key = (op.cast(tape, x, element) for x, element in zip(turned, elements, strict=True))
    del wide, turned
    return unweighted_norm(machine, query), unweighted_norm(machine, key)
