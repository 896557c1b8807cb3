"""Operators that move numbers or look at them otherwise: views, gathers, repetitions, and what comes back through them.

Sources as in `hbspec.estimators.step.lifetimes.operators`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from hbspec.estimators.step.lifetimes.autograd import Tensor
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.operators import BACKWARD, alias, fitting
from hbspec.estimators.step.lifetimes.tape import Tape


def laid_out(tape: Tape, x: Tensor) -> Tensor:
    """A view of other strides, whose gradient is copied to fit."""
    numel, element = x.numel, x.element
    return tape.record(Tensor(x.storage, numel, element), [x.node], lambda _: [tape.new(numel, element, BACKWARD)])


def spread(tape: Tape, x: Tensor, numel: Form) -> Tensor:
    """A copy that holds every number several times; its gradient is summed up again."""
    before, element = x.numel, x.element
    return tape.record(tape.new(numel, element), [x.node], lambda _: [tape.new(before, element, BACKWARD)])


def viewed_often(tape: Tape, x: Tensor, numel: Form) -> Tensor:
    """The same storage seen several times; its gradient is summed up again."""
    before, element = x.numel, x.element
    return tape.record(Tensor(x.storage, numel, element), [x.node], lambda _: [tape.new(before, element, BACKWARD)])


def part(tape: Tape, x: Tensor, numel: Form) -> Tensor:
    """A slice, which shares the storage; its gradient is as large as the whole."""
    whole, element = x.numel, x.element
    return tape.record(Tensor(x.storage, numel, element), [x.node], lambda _: [tape.new(whole, element, BACKWARD)])


def joined(tape: Tape, *parts: Tensor) -> Tensor:
    """`cat(parts)`, of which each gets a part of the gradient."""
    sizes = [part.numel for part in parts]
    numel, element = reduce(Form.plus, sizes), max(part.element for part in parts)

    def derivative(gradient: Tensor) -> list[Tensor]:
        return [Tensor(gradient.storage, size, gradient.element) for size in sizes]

    return tape.record(tape.new(numel, element), [part.node for part in parts], derivative)


def rotate_half(tape: Tape, x: Tensor) -> Tensor:
    """`cat((-x2, x1))`; on the way back both halves are put into zeros of full size."""
    numel, element = x.numel, x.element
    half = Form(0, numel.per_token // 2)

    def derivative(_: Tensor) -> list[Tensor | None]:
        negated = tape.new(half, element, BACKWARD)
        first = tape.new(numel, element, BACKWARD)
        del negated
        second = tape.new(numel, element, BACKWARD)
        return [tape.sum(first, second)]

    negated = tape.new(half, element)
    out = tape.new(numel, element)
    del negated
    return tape.record(out, [x.node], derivative)


def gathered(tape: Tape, x: Tensor, numel: Form, order: Tensor) -> Tensor:
    """Rows of x in another order, perhaps some of them or some of them again; its gradient is put into zeros."""
    before, element = x.numel, x.element
    held = [tape.save(order)] if x.node is not None else []

    def derivative(_: Tensor) -> list[Tensor]:
        zeros = tape.new(before, element, BACKWARD)
        return [zeros if tape.on_gpu else tape.new(before, element, BACKWARD)]

    return tape.record(tape.new(numel, element), [x.node], derivative, held)


def summed(tape: Tape, x: Tensor, numel: Form, element: int) -> Tensor:
    """The sum of neighbouring rows, which autocast makes in fp32; its gradient is copied to each of them."""
    before, narrow = x.numel, x.element
    return tape.record(tape.new(numel, element), [x.node], lambda _: [tape.new(before, narrow, BACKWARD)])


def into(tape: Tape, x: Tensor, added: Tensor) -> Tensor:
    """`x.add_(added)`."""
    out = tape.record(
        Tensor(x.storage, x.numel, x.element), [x.node, added.node], lambda gradient: [alias(gradient)] * 2
    )
    return fitting(tape, out, (x, added))


def halves(tape: Tape, x: Tensor) -> tuple[Tensor, Tensor]:
    """`chunk(2)`."""
    whole = x.numel
    first, second = split(tape, x, [Form(whole.fixed // 2, whole.per_token // 2, whole.per_pair // 2)] * 2)
    return first, second


def split(tape: Tape, x: Tensor, sizes: Sequence[Form]) -> list[Tensor]:
    """`split`: views, whose gradients are put side by side when all are there."""
    whole, element = x.numel, x.element
    joined = tape.record(Tensor(x.storage, whole, element), [x.node], lambda _: [tape.new(whole, element, BACKWARD)])
    if joined.node is not None:
        joined.node.join = Waiting
    return [Tensor(x.storage, size, element, joined.node) for size in sizes]


class Waiting(Tensor):
    """Gradients that wait for each other."""

    __slots__ = ("others",)

    def __init__(self, first: Tensor, second: Tensor) -> None:
        super().__init__(first.storage, first.numel, first.element)
        self.others: tuple[Tensor, ...] = (first, second)


def copied_into(tape: Tape, x: Tensor, part: Tensor, *, first: bool) -> Tensor:
    """A slice of x that is written over (`copy_`); `first`: nothing was before, so that x needs no gradient.

    The way back copies the gradient, and the slice of it (`csrc/autograd/functions/tensor.cpp`, `CopySlices`).
    """
    whole, numel, element = x.numel, part.numel, x.element

    def derivative(_: Tensor) -> list[Tensor | None]:
        rest = tape.new(whole, element, BACKWARD)
        own = tape.new(numel, element, BACKWARD)
        zeros = None if first else tape.new(numel, element, BACKWARD)
        del zeros
        return [None if first else rest, own]

    return tape.record(Tensor(x.storage, whole, element), [x.node, part.node], derivative)


def placed(tape: Tape, x: Tensor, numel: Form) -> Tensor:
    """`zeros.index_copy(…, x)`, which holds x, of which its derivative reads the shape."""
    before, element = x.numel, x.element
    held = [tape.save(x)] if x.node is not None else []
    return tape.record(tape.new(numel, element), [x.node], lambda _: [tape.new(before, element, BACKWARD)], held)


def added_at(tape: Tape, x: Tensor, added: Tensor) -> Tensor:
    """`x.index_add_(…, added)`, which holds what is added, of which its derivative reads the shape."""
    numel, element = added.numel, added.element
    held = [tape.save(added)] if added.node is not None else []
    return tape.record(
        Tensor(x.storage, x.numel, x.element),
        [x.node, added.node],
        lambda gradient: [alias(gradient), tape.new(numel, element, BACKWARD)],
        held,
    )
