"""The scan of a state space over shapes: all chunks of a row at once, and then the states between them.

Source: transformers 5.23.0, `mamba2_chunk_scan` and `segment_sum` of
`models/granitemoehybrid/modeling_granitemoehybrid.py`, which run where mamba-ssm is not installed. The kernels of that
package hold less.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hbspec.catalog.dtypes import FLOAT32
from hbspec.catalog.state_space import StateSpace
from hbspec.estimators.step.lifetimes import layouts, products
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import ParameterTensor, Tensor
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.modules import Machine
from hbspec.estimators.step.lifetimes.state_space_modules import StateSpaceModules
from hbspec.estimators.step.lifetimes.tape import Tape

USUAL_CHUNKS = 32
"""Chunks of a row for which pairs of chunks are counted: one number each and head, of no weight beside the tokens'
pairs within a chunk."""


class _Forms(NamedTuple):
    """Sizes of rows that are padded to whole chunks."""

    sizes: StateSpace
    rows: int
    padding: int

    def each(self, width: int) -> Form:
        """So many numbers for each token."""
        return Form(self.rows * self.padding * width, width)

    def chunks(self, numbers: int) -> Form:
        """So many numbers for each chunk."""
        return Form(self.rows * self.padding * numbers // self.sizes.chunk, -(-numbers // self.sizes.chunk))

    def borders(self, numbers: int) -> Form:
        """So many for each chunk, and for what comes before the first one of a row."""
        return self.chunks(numbers).plus(Form(self.rows * numbers))

    def crossed(self) -> Form:
        """A number of each head for every two borders of a row."""
        return self.borders(self.sizes.heads * (USUAL_CHUNKS + 1))

    def crossed_work(self) -> Form:
        """Multiply-adds of all states of a row at each of its borders."""
        chunk, states, beyond = self.sizes.chunk, self.sizes.states, self.padding + self.sizes.chunk
        return Form(self.rows * states * beyond**2 // chunk**2, 2 * states * beyond // chunk**2, states // chunk**2)


def chunked_scan(
    machine: Machine, layer: StateSpaceModules, parts: Sequence[Tensor], steps: Tensor, decay: Tensor
) -> Tensor:
    """What the heads put out, side by side, in fp32.

    Args:
        machine: what runs it.
        layer: the modules.
        parts: what heads are given, what writes their states and what reads them, as convolved.
        steps: one number a head, as projected.
        decay: one number for each head, by how much states fade.
    """
    tape, sizes = machine.tape, layer.sizes
    forms = _Forms(sizes, layer.rows, layer.padding)
    steps = _steps(machine, steps, layer.steps)
    x = op.cast(tape, parts[0], FLOAT32)
    write, read = (_of_heads(tape, sizes, part) for part in parts[1:])
    skipped = op.weigh(tape, layouts.spread(tape, x, forms.each(sizes.inner)), layer.skip)
    x = op.multiply(tape, x, op.cast(tape, steps, FLOAT32))
    fade = op.multiply(tape, op.cast(tape, steps, FLOAT32), decay)
    x, fade, write, read = [
        layouts.spread(tape, one, forms.each(one.numel.per_token)) for one in (x, fade, write, read)
    ]
    faded = op.unary(tape, fade, temporaries=2)  # cumsum
    inside, _within = _inside(machine, forms, x, fade, (write, read))
    out, _between = _between_chunks(machine, forms, x, faded, (write, read))
    out = op.clone(tape, op.add(tape, inside, out))
    out = op.add(tape, out, skipped)
    return layouts.part(tape, out, Form(0, sizes.inner)) if layer.padding else out


def _steps(machine: Machine, x: Tensor, bias: ParameterTensor) -> Tensor:
    """`clamp(softplus(x + dt_bias))`, which autocast computes in fp32."""
    tape, numel = machine.tape, bias.numel
    copied = tape.new(numel, x.element) if bias.element != x.element else None
    shifted = tape.record(
        tape.new(x.numel, x.element), [x.node, bias.sink], lambda gradient: [op.alias(gradient), op.alias(gradient)]
    )
    del copied
    shifted = op.fitting(tape, shifted, (x, bias))
    x = op.cast(tape, shifted, FLOAT32) if machine.compute is not None else shifted
    del shifted
    return op.unary(tape, op.unary(tape, x, saves="input"), saves="input")


def _of_heads(tape: Tape, sizes: StateSpace, x: Tensor) -> Tensor:
    """What a group shares, copied for each of its heads, in fp32."""
    return layouts.spread(tape, op.cast(tape, x, FLOAT32), Form(0, sizes.heads * sizes.state))


def _inside(
    machine: Machine, forms: _Forms, x: Tensor, fade: Tensor, states: tuple[Tensor, Tensor]
) -> tuple[Tensor, list[Tensor]]:
    """What tokens put out by those before them in their chunk, and what else lives until the scan is done."""
    tape, sizes, (write, read) = machine.tape, forms.sizes, states
    square = forms.each(sizes.heads * sizes.chunk)
    apart = op.unary(tape, _segment_sum(tape, fade, square, sizes.chunk**2), saves="output")
    pairs = _einsum(machine, read, write, square, square.times(sizes.state))
    weighed = op.multiply(tape, pairs, apart)
    out = _einsum(machine, weighed, x, x.numel, square.times(sizes.width), copied=(False, True), turned=True)
    return out, [apart, pairs, weighed]


def _between_chunks(
    machine: Machine, forms: _Forms, x: Tensor, faded: Tensor, sides: tuple[Tensor, Tensor]
) -> tuple[Tensor, list[Tensor]]:
    """What tokens put out by the states that earlier chunks left, and what else lives until the scan is done."""
    tape, sizes, (write, read) = machine.tape, forms.sizes, sides
    numbers, work = sizes.states, x.numel.times(sizes.state)
    last = layouts.part(tape, faded, forms.chunks(sizes.heads))
    left = op.unary(tape, _less(tape, last, faded), saves="output")
    written = op.multiply(tape, write, left)
    states = _einsum(machine, written, x, forms.chunks(numbers), work, turned=True)
    before = tape.new(Form(forms.rows * numbers), states.element)
    states = _behind(tape, states, forms.borders(numbers))
    crossing = _crossing(tape, forms, layouts.part(tape, faded, forms.chunks(sizes.heads)))
    new = _einsum(machine, crossing, states, states.numel, forms.crossed_work(), copied=(False, True), turned=True)
    states = layouts.part(tape, new, forms.chunks(numbers))
    opened = op.unary(tape, faded, saves="output")
    seen = _einsum(machine, read, states, x.numel, work, turned=True)
    out = op.multiply(tape, seen, opened)
    return out, [left, written, before, states, crossing, new, opened, seen]


def _less(tape: Tape, last: Tensor, faded: Tensor) -> Tensor:
    """What is left at a chunk's end of what each of its tokens wrote: `last - faded`."""
    numel = faded.numel

    def derivative(gradient: Tensor) -> list[Tensor]:
        return [op.alias(gradient), tape.new(numel, FLOAT32, op.BACKWARD)]

    return op.fitting(tape, tape.record(tape.new(numel, FLOAT32), [last.node, faded.node], derivative), (last, faded))


def _behind(tape: Tape, x: Tensor, numel: Form) -> Tensor:
    """The states behind those before the first chunk, which are zeros (`cat`)."""
    before, element = x.numel, x.element

    def derivative(gradient: Tensor) -> list[Tensor]:
        return [Tensor(gradient.storage, before, element)]

    return tape.record(tape.new(numel, element), [x.node], derivative)


def _crossing(tape: Tape, forms: _Forms, ends: Tensor) -> Tensor:
    """By how much a state fades from one border to another."""
    borders = layouts.spread(tape, ends, forms.borders(forms.sizes.heads))
    return op.unary(tape, _segment_sum(tape, borders, forms.crossed(), USUAL_CHUNKS**2), saves="output")


def _segment_sum(tape: Tape, x: Tensor, square: Form, mask: int) -> Tensor:
    """Sums between every two numbers of a segment, two masks of bytes being held."""
    x = layouts.viewed_often(tape, x, square)
    x = _masked(tape, x, mask)
    summed = op.unary(tape, x, temporaries=2)  # cumsum
    return _masked(tape, summed, mask)


def _masked(tape: Tape, x: Tensor, mask: int) -> Tensor:
    """`masked_fill`."""
    bits = tape.new(Form(mask), 1)
    held = [tape.save(bits)] if x.node is not None else []
    numel, element = x.numel, x.element
    return tape.record(tape.new(numel, element), [x.node], lambda _: [tape.new(numel, element, op.BACKWARD)], held)


def _einsum(
    machine: Machine,
    left: Tensor,
    right: Tensor,
    out: Form,
    work: Form,
    *,
    copied: tuple[bool, bool] = (True, True),
    turned: bool = False,
) -> Tensor:
    """`einsum` of two operands, which autocast narrows before they are laid out for one product.

    Args:
        machine: what runs it.
        left: the first operand.
        right: the second one.
        out: how many numbers come out.
        work: multiply-adds.
        copied: which operands do not lie as the product reads them.
        turned: whether the gradient does not.
    """
    tape = machine.tape
    if machine.compute is not None:
        left, right = op.cast(tape, left, machine.compute), op.cast(tape, right, machine.compute)
    first = op.clone(tape, left) if copied[0] else left
    second = op.clone(tape, right) if copied[1] else right
    found = products.product(tape, first, second, out, work)
    return layouts.laid_out(tape, found) if turned else found
