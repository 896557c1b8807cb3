"""The scan over the chunks of a row over shapes: each chunk reads the state that those before it left, and adds to it.

Chunks hold alike, so that three are run, and what the third one holds, writes and multiplies stands for the others.

Source: transformers 5.23.0, the second phase of `torch_chunk_gated_delta_rule` of `models/qwen3_5/modeling_qwen3_5.py`.
"""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog.dtypes import FLOAT32
from hbspec.catalog.linear_attention import LinearAttention
from hbspec.estimators.step.lifetimes import layouts, products
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import Node, Tensor
from hbspec.estimators.step.lifetimes.ledger import ROWS_TOKENS, Form, Ledger, Work
from hbspec.estimators.step.lifetimes.modules import Machine
from hbspec.estimators.step.lifetimes.tape import Tape

CHUNK = ROWS_TOKENS
"""Tokens of a chunk; a row is padded to whole ones."""

RUN = 3
"""Chunks that are run: the first reads no state that needs a gradient, and the second is between others."""


PIECES = 8
"""Blocks that stand for those of all other chunks, which are small ones in their turn."""


class Scan(NamedTuple):
    """What is scanned.

    Attributes:
        sizes: of the layer.
        rows: of the micro-batch.
        values, seen: what each token learns, and what of that its state knows already.
        query, inside, key: what reads the state, what reads the chunk, what is added to the state.
        fades: by how much a chunk's state fades.
    """

    sizes: LinearAttention
    rows: int
    values: Tensor
    seen: Tensor
    query: Tensor
    inside: Tensor
    key: Tensor
    fades: Tensor

    def chunk(self, whole: Tensor) -> Form:
        """The size of one chunk of each row."""
        return Form(self.rows * CHUNK * whole.numel.per_token)

    @property
    def work(self) -> Form:
        """Multiply-adds of the products of one chunk."""
        sizes = self.sizes
        read = 3 * CHUNK * sizes.key_head_dim + CHUNK * CHUNK
        return Form(self.rows * sizes.num_value_heads * sizes.value_head_dim * read)


def times(machine: Machine, left: Tensor, right: Tensor, out: Form, work: Form) -> Tensor:
    """`left @ right`, which autocast runs in the compute dtype."""
    if machine.compute is not None:
        left, right = op.cast(machine.tape, left, machine.compute), op.cast(machine.tape, right, machine.compute)
    return products.product(machine.tape, left, right, out, work)


def scanned(machine: Machine, scan: Scan, state: Tensor, out: Tensor) -> Tensor:
    """What the chunks put out.

    Args:
        machine: what runs it.
        scan: what is scanned.
        state: zeros.
        out: what the chunks' outputs are written into.
    """
    tape, ledger = machine.tape, machine.tape.ledger
    others = _Others(tape, scan)
    written = inside = None
    for index in range(RUN):
        before = _Alive.of(ledger)
        written = _less(scan, tape, scan.values, _read(machine, scan, scan.seen, state))
        read = _read(machine, scan, scan.query, state)
        inside = layouts.part(tape, scan.inside, scan.chunk(scan.inside))
        work = Form(inside.numel.fixed * scan.sizes.value_head_dim)
        out = _put(tape, out, op.add(tape, read, times(machine, inside, written, written.numel, work)))
        fade = layouts.part(tape, scan.fades, Form(scan.rows * scan.sizes.num_value_heads))
        key = layouts.part(tape, scan.key, scan.chunk(scan.key))
        work = Form(key.numel.fixed * scan.sizes.value_head_dim)
        faded = op.multiply(tape, state, fade)
        state = op.add(tape, faded, times(machine, key, written, state.numel, work))
        del faded, fade, key
        state = others.passed(state, index)
    others.stand(before, _Alive.of(ledger))
    return out


def _read(machine: Machine, scan: Scan, whole: Tensor, state: Tensor) -> Tensor:
    part = layouts.part(machine.tape, whole, scan.chunk(whole))
    return times(machine, part, state, scan.chunk(scan.values), Form(part.numel.fixed * scan.sizes.value_head_dim))


def _less(scan: Scan, tape: Tape, whole: Tensor, known: Tensor) -> Tensor:
    part = layouts.part(tape, whole, scan.chunk(whole))
    out = tape.record(
        tape.new(part.numel, FLOAT32),
        [part.node, known.node],
        lambda gradient: [op.alias(gradient), tape.new(gradient.numel, gradient.element, op.BACKWARD)],
    )
    return op.fitting(tape, out, (part, known))


def _put(tape: Tape, whole: Tensor, chunk: Tensor) -> Tensor:
    """`whole[:, :, index] = chunk` (`CopySlices`)."""
    numel, part = whole.numel, chunk.numel

    def derivative(_: Tensor) -> list[Tensor]:
        rest = tape.new(numel, FLOAT32, op.BACKWARD)
        given = tape.new(part, FLOAT32, op.BACKWARD)
        zeros = tape.new(part, FLOAT32, op.BACKWARD)
        del zeros
        return [rest, given]

    out = tape.record(Tensor(whole.storage, numel, FLOAT32), [whole.node, chunk.node], derivative)
    return op.fitting(tape, out, (whole, chunk))


class _Alive(NamedTuple):
    """Bytes that are alive, and what was written and multiplied so far."""

    alive: Form
    work: Work

    @classmethod
    def of(cls, ledger: Ledger) -> _Alive:
        return cls(ledger.total, ledger.made)


class _Others:
    """The chunks that are not run: they come between the first two that are.

    The way back refers to it, so that it must not refer to any tensor.
    """

    def __init__(self, tape: Tape, scan: Scan) -> None:
        self.tape, self.tokens, self.work = tape, scan.rows * CHUNK, scan.work
        self.node: Node | None = None
        self.began: Work = Work()

    def passed(self, state: Tensor, index: int) -> Tensor:
        """The same state, behind which the way back says where it is."""
        tape = self.tape
        if index >= RUN - 1:
            return state

        def begin(gradient: Tensor) -> list[Tensor]:
            self.began = tape.ledger.made
            return [op.alias(gradient)]

        def end(gradient: Tensor) -> list[Tensor]:
            self._again(self.began, tape.ledger.made, 2)
            return [op.alias(gradient)]

        out = tape.record(Tensor(state.storage, state.numel, state.element), [state.node], end if index == 0 else begin)
        if index == 0:
            self.node = out.node
        return out

    def stand(self, before: _Alive, after: _Alive) -> None:
        """What all others hold until the way back has passed the first chunk."""
        tape = self.tape
        self._again(before.work, after.work, 1)
        grown = Form(*(new - old for new, old in zip(after.alive, before.alive, strict=True)))
        whole = self._of(grown)
        part = Form(*(size // PIECES for size in whole))
        rest = Form(*(size % PIECES for size in whole))
        held = [tape.save(tape.new(size, 1)) for size in (part.plus(rest), *[part] * (PIECES - 1))]
        if self.node is not None:
            self.node.saved = held
            self.node = None  # which refers to this object: a cycle would live on

    def _again(self, before: Work, after: Work, products: int) -> None:
        """What one chunk does is done by all others too.

        Args:
            before: what was written before the chunk.
            after: what was written behind it.
            products: how many each of its products stands for: one forward, and a gradient of both its factors back.
        """
        self.tape.multiply(self._of(self.work).times(products))
        written = Form(*(new - old for new, old in zip(after.written, before.written, strict=True)))
        count = after.kernels - before.kernels
        self.tape.ledger.repeat(op.BACKWARD, -RUN * count, count, self._of(written))

    def _of(self, chunk: Form) -> Form:
        """What all others have of what one chunk of each row has, a size of its own or one of whole rows."""
        each = chunk.fixed // self.tokens
        return Form(-RUN * chunk.fixed, each - RUN * chunk.per_token, chunk.per_token // CHUNK)
