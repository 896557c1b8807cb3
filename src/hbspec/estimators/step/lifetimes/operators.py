"""torch's operators over shapes: what each allocates, holds, and needs on the way back.

Sources: torch 2.13's `tools/autograd/derivatives.yaml` (what is saved, the formulas) and `FunctionsManual.cpp` (their
temporaries). Scalars and shapes cost nothing here. A derivative must not refer to a tensor of the forward pass, only to
what it saved: its closure would keep the storage alive.
"""

from __future__ import annotations

from collections.abc import Sequence

from hbspec.estimators.step.lifetimes.autograd import ParameterTensor, Saved, Tensor
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.tape import Tape

BACKWARD = "backward"
"""The term of gradients of activations and of their temporaries."""

GRADIENTS = "gradients"
"""The term of gradients of what is trained."""

NO_STORAGE = Tensor(None, Form(), 0)
"""Stands for a weight, which is held anyway."""


def cast(tape: Tape, x: Tensor, element: int) -> Tensor:
    """`x.to(dtype)`: itself if it has that dtype already."""
    if x.element == element:
        return x
    before = x.element
    return tape.record(tape.new(x.numel, element), [x.node], lambda gradient: [_cast_back(tape, gradient, before)])


def _cast_back(tape: Tape, gradient: Tensor, element: int) -> Tensor:
    return gradient if gradient.element == element else tape.new(gradient.numel, element, BACKWARD)


def clone(tape: Tape, x: Tensor) -> Tensor:
    """A copy; its gradient passes through."""
    return tape.record(tape.new(x.numel, x.element), [x.node], lambda gradient: [alias(gradient)])


def alias(x: Tensor) -> Tensor:
    """The same numbers again: whoever holds either holds the storage."""
    return Tensor(x.storage, x.numel, x.element)


def add(tape: Tape, left: Tensor, right: Tensor, term: str | None = None) -> Tensor:
    """`left + right`, of one size; both get the same gradient, in their own dtype."""
    elements = left.element, right.element
    out = tape.new(left.numel, max(elements), term)
    tape.record(out, [left.node, right.node], lambda gradient: [alias(gradient), alias(gradient)])
    return fitting(tape, out, (left, right))


def unary(tape: Tape, x: Tensor, *, saves: str = "", temporaries: int = 0, term: str = BACKWARD) -> Tensor:
    """An operator on every number.

    Args:
        tape: the tape.
        x: the input.
        saves: "input", "output" or "" for neither.
        temporaries: of the derivative, beside its result, each of the size of x.
        term: what the derivative is counted as.
    """
    held = [tape.save(x)] if saves == "input" else []
    out = tape.new(x.numel, x.element)
    if saves == "output" and x.node is not None:
        held = [tape.save(out)]
    numel, element = x.numel, x.element

    def derivative(_: Tensor) -> list[Tensor]:
        between = [tape.new(numel, element, term) for _ in range(temporaries)]
        result = tape.new(numel, element, term)
        del between
        return [result]

    return tape.record(out, [x.node], derivative, held)


def softmax(tape: Tape, x: Tensor, element: int, *, fused: bool = False) -> Tensor:
    """A softmax in a dtype, whose derivative first multiplies gradient and output on a GPU (`cuda/SoftMax.cu`).

    Args:
        tape: the tape.
        x: the input.
        element: bytes of a number of the result.
        fused: whether the kernel widens the input itself, as CUDA's does for float16 (`half_to_float`).
    """
    if not fused:
        x = cast(tape, x, element)
    out = tape.new(x.numel, element)
    held = [tape.save(out)] if x.node is not None else []
    numel, narrow = x.numel, x.element

    def derivative(_: Tensor) -> list[Tensor | None]:
        result = tape.new(numel, narrow, BACKWARD)  # a structured kernel: its output is there first
        product = tape.new(numel, element, BACKWARD) if tape.on_gpu else None
        del product
        return [result]

    return tape.record(out, [x.node], derivative, held)


def mean(tape: Tape, x: Tensor, rows: Form) -> Tensor:
    """The mean of each row; the gradient is spread out to full size."""
    numel, element = x.numel, x.element
    return tape.record(tape.new(rows, element), [x.node], lambda _: [tape.new(numel, element, BACKWARD)])


def multiply(tape: Tape, left: Tensor, right: Tensor) -> Tensor:
    """`left * right`; each is held for the other's gradient. `right` may be one number a row or a row for all."""
    held = saved_for_product(tape, left, right)
    out = tape.new(left.numel, max(left.element, right.element))
    nodes = left.node, right.node
    wanted, full, element = [node is not None for node in nodes], out.numel, out.element

    def derivative(_: Tensor) -> list[Tensor | None]:
        return [None if not needed else tape.new(full, element, BACKWARD) for needed in wanted]

    return fitting(tape, tape.record(out, nodes, derivative, held), (left, right))


def fitting(tape: Tape, out: Tensor, inputs: Sequence[Tensor | ParameterTensor]) -> Tensor:
    """The output, whose gradients are summed up to the sizes of the inputs and cast to their dtypes."""
    if out.node is not None:
        sizes = [(x.numel, x.element, isinstance(x, ParameterTensor)) for x in inputs]

        def fits(index: int, made: Tensor) -> Tensor:
            numel, element, weight = sizes[index]
            if made.numel != numel:
                made = tape.new(numel, made.element, GRADIENTS if weight else BACKWARD)
            return _cast_back(tape, made, element)

        out.node.fits = fits
    return out


def saved_for_product(tape: Tape, left: Tensor, right: Tensor) -> list[Saved]:
    """Both factors, each held if the other one's gradient is needed."""
    # in the order of derivatives.yaml: self is held for the gradient of other
    held = [tape.save(left)] if right.node is not None else []
    return [*held, tape.save(right)] if left.node is not None else held


def less(tape: Tape, x: Tensor, rows: Tensor) -> Tensor:
    """`x - rows`, with one number a row or as many as x has."""
    out = tape.record(
        tape.new(x.numel, x.element),
        [x.node, rows.node],
        lambda gradient: [alias(gradient), tape.new(gradient.numel, gradient.element, BACKWARD)],
    )
    return fitting(tape, out, (x, rows))


def weigh(tape: Tape, x: Tensor, weight: ParameterTensor, *, copied: bool = False) -> Tensor:
    """`weight * x` with a weight for every column; `copied` ones are in fp32, as `1 + weight.float()` is."""
    factor = tape.new(weight.numel, 4) if copied else NO_STORAGE
    held = [tape.save(factor)] if x.node is not None else []
    del factor
    if weight.trained:
        held.append(tape.save(x))
    element, numel, trained = max(x.element, weight.element), x.numel, weight.trained
    out = tape.new(numel, element)

    def derivative(_: Tensor) -> list[Tensor | None]:
        of_input = tape.new(numel, element, BACKWARD)
        return [of_input, tape.new(numel, element, BACKWARD) if trained else None]

    return fitting(tape, tape.record(out, [x.node, weight.sink], derivative, held), (x, weight))


def dropout(tape: Tape, x: Tensor) -> Tensor:
    """CUDA's fused dropout: a mask of bytes is held."""
    numel, element = x.numel, x.element
    out = tape.new(numel, element)
    mask = tape.new(numel, 1)
    held = [tape.save(mask)] if x.node is not None else []
    return tape.record(out, [x.node], lambda _: [tape.new(numel, element, BACKWARD)], held)


def turn(tape: Tape, x: Tensor, constant: int, held_as: Tensor = NO_STORAGE) -> Tensor:
    """The product with a constant of so many bytes a number, by default one that is held anyway (cosines and sines)."""
    held = [tape.save(held_as)] if x.node is not None else []
    numel, element = x.numel, max(x.element, constant)

    def derivative(_: Tensor) -> list[Tensor | None]:
        return [tape.new(numel, element, BACKWARD)]

    return fitting(tape, tape.record(tape.new(numel, element), [x.node], derivative, held), (x,))


def turned_in_place(tape: Tape, x: Tensor) -> Tensor:
    """`x *= constant`, by one that is held anyway."""
    held = [tape.save(NO_STORAGE)] if x.node is not None else []
    numel, element = x.numel, x.element
    out = Tensor(x.storage, numel, element)
    return tape.record(out, [x.node], lambda _: [tape.new(numel, element, BACKWARD)], held)


def offset(tape: Tape, x: Tensor, constant: int) -> Tensor:
    """The sum with a constant of so many bytes a number, as a mask is."""
    out = tape.new(x.numel, max(x.element, constant))
    return fitting(tape, tape.record(out, [x.node], lambda gradient: [alias(gradient)]), (x,))


def centred(tape: Tape, x: Tensor) -> Tensor:
    """`x - x.max(dim=-1)`, whose gradient comes back through both."""
    numel, element = x.numel, x.element

    def derivative(gradient: Tensor) -> list[Tensor]:
        negated = tape.new(numel, element, BACKWARD)
        del negated
        through = tape.new(numel, element, BACKWARD)
        if not tape.on_gpu:
            through = tape.new(numel, element, BACKWARD)
        first = alias(gradient)
        del gradient
        return [tape.sum(first, through)]

    return tape.record(tape.new(numel, element), [x.node], derivative)


def capped(tape: Tape, x: Tensor) -> Tensor:
    """`tanh(x / cap) * cap`."""
    x = unary(tape, x)
    x = unary(tape, x, saves="output")
    return unary(tape, x)


def widened(tape: Tape, copy: Tensor, weight: ParameterTensor) -> Tensor:
    """A narrower copy of a trained weight, whose gradient is widened again."""
    numel, element = weight.numel, weight.element
    return tape.record(copy, [weight.sink], lambda _: [tape.new(numel, element, GRADIENTS)])
