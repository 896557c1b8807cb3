"""The embedding with its adapter over shapes: what the first layer is given.

Sources: transformers 5.23.0, `enable_input_require_grads`; peft 0.21.2, `Embedding.forward` of `tuners/lora/layer.py`
and `DoraEmbeddingLayer` of `dora.py`.
"""

from __future__ import annotations

from typing import NamedTuple

from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import ParameterTensor, Sink, Tensor
from hbspec.estimators.step.lifetimes.ledger import Form, TensorStorage
from hbspec.estimators.step.lifetimes.modules import ADAPTERS, Adapter, Machine, product

LAYER_INPUTS = "layer_inputs"
"""The term of the residual stream, which checkpointing keeps."""


class Embedding(NamedTuple):
    """The table of the tokens' vectors.

    Attributes:
        weight: the table.
        vocabulary, width: its rows and columns.
        adapter: a low-rank adapter, whose first factor is looked up in as the table is.
        scaled: "embedding" where the table's module multiplies its rows by a number, "inputs" where the model does.
        dropped: whether numbers are dropped from them.
        positions: the table of learned positions; None where there is none.
        shared: rows of the micro-batch that share the rows of that table.
        hooked: whether the rows are made to need a gradient (`enable_input_require_grads`).
    """

    weight: ParameterTensor
    vocabulary: int
    width: int
    adapter: Adapter | None
    scaled: str
    dropped: bool
    hooked: bool
    positions: ParameterTensor | None = None
    shared: int = 1

    @property
    def needed(self) -> bool:
        """Whether the output needs a gradient."""
        return self.weight.trained or self.adapter is not None or self.hooked

    def weights(self) -> list[ParameterTensor]:
        """The tables, and the weights of the adapter."""
        own = [self.weight, *([self.positions] if self.positions else [])]
        return [*own, *(self.adapter.weights() if self.adapter else [])]


class Leaf(Sink):
    """An input that gathers a gradient; unlike a parameter it is held by that."""

    __slots__ = ("leaf",)

    def __init__(self, leaf: TensorStorage | None) -> None:
        super().__init__()
        self.leaf = leaf


def embedded(machine: Machine, embedding: Embedding) -> tuple[Tensor, list[Tensor]]:
    """The residual stream, a row of the table for each token, and what the model's forward pass holds beside it."""
    x, held = _rows(machine, embedding), list[Tensor]()
    machine.tape.term = LAYER_INPUTS
    if embedding.positions is not None:
        place = machine.tape.new(Form(0, -(-embedding.width // embedding.shared)), machine.stream)
        if embedding.positions.trained:
            place = looked_up(machine, place, embedding.positions)
        held = [x, place]
        x = op.fitting(machine.tape, op.add(machine.tape, x, place, LAYER_INPUTS), (x, place))
    if embedding.scaled == "inputs":
        x = op.unary(machine.tape, x)
    return op.dropout(machine.tape, x) if embedding.dropped else x, held


def _rows(machine: Machine, embedding: Embedding) -> Tensor:
    """What the table's module puts out."""
    x = machine.tape.new(Form(0, embedding.width), machine.stream, LAYER_INPUTS)
    if embedding.weight.trained:
        x = looked_up(machine, x, embedding.weight)
    if embedding.scaled == "embedding":
        machine.tape.term = LAYER_INPUTS
        x = op.unary(machine.tape, x)
    if embedding.hooked and not embedding.weight.trained:
        x.node = Leaf(x.storage)
    return x if embedding.adapter is None else adapted(machine, x, embedding, embedding.adapter)


def looked_up(machine: Machine, x: Tensor, table: ParameterTensor) -> Tensor:
    """Rows of a trained table, whose gradient is as large as the whole table."""
    tape, numel, element = machine.tape, table.numel, table.element
    return tape.record(x, [table.sink], lambda _: [tape.new(numel, element, op.GRADIENTS)])


def adapted(machine: Machine, x: Tensor, embedding: Embedding, adapter: Adapter) -> Tensor:
    """The rows plus rows of the first factor times the second one."""
    tape, width, rank = machine.tape, embedding.width, adapter.rank
    tape.term = ADAPTERS
    if adapter.magnitude is not None:
        _norms(machine, embedding, adapter)
    low = looked_up(machine, tape.new(Form(0, rank), adapter.down.element), adapter.down)
    output = product(machine, low, adapter.up, Form(0, width), Form(0, rank * width))
    del low
    before = x.element
    if adapter.magnitude is not None:
        magnitude = adapter.magnitude
        factor = Tensor(None, magnitude.numel, magnitude.element, magnitude.sink)
        output, x = op.multiply(tape, output, factor), op.multiply(tape, x, factor)
    output = op.unary(tape, output)  # * scaling
    total = op.add(tape, x, output, LAYER_INPUTS)
    tape.term = LAYER_INPUTS
    return op.cast(tape, total, before)


def _norms(machine: Machine, embedding: Embedding, adapter: Adapter) -> None:
    """DoRA: table and adapter are made whole, added up, normed and let go of."""
    tape, factor, numel = machine.tape, adapter.down, Form(embedding.vocabulary * embedding.width)
    whole = Tensor(None, factor.numel, factor.element, factor.sink)
    delta = product(machine, whole, adapter.up, numel, numel.times(adapter.rank))
    scaled = tape.new(delta.numel, delta.element)
    total = tape.new(delta.numel, delta.element)
    del scaled, total, delta
