"""The modules of a decoder, as transformers, peft and bitsandbytes run them, over shapes.

Sources: transformers 5.23.0 `models/*/modeling_*.py`, peft 0.21.2 `tuners/lora/layer.py` and `bnb.py`, bitsandbytes
0.50.2 `autograd/_functions.py`.
"""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog.dtypes import FLOAT32
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes import products
from hbspec.estimators.step.lifetimes.autograd import Parameter, Tensor
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.tape import Tape

ADAPTERS = "adapter_activations"
"""The term of what adapters keep and compute."""

UNPACKED = "dequantized_weights"
"""The term of quantised weights in the compute dtype."""

COPIES = "weight_copies"
"""The term of the copies that autocast makes of weights."""


class Machine(NamedTuple):
    """The state that modules share.

    Attributes:
        tape: runs operators.
        compute: bytes of a number in matrix products under autocast; None without autocast.
        stream: bytes of a number of the residual stream, and of cosines and sines.
        float16: whether 16-bit numbers are those of a GPU's fused kernels for float16.
    """

    tape: Tape
    compute: int | None
    stream: int
    float16: bool


def norm(machine: Machine, x: Tensor, weight: Parameter, term: str, *, wide: bool) -> Tensor:
    """An RMS norm, computed in fp32; `wide` ones weigh before they cast back."""
    tape = machine.tape
    tape.term = term
    before, rows = x.element, _rows(x, weight)
    x = op.cast(tape, x, FLOAT32)
    variance = op.mean(tape, op.unary(tape, x, saves="input", temporaries=2), rows)
    variance = op.unary(tape, variance)  # + epsilon
    x = op.multiply(tape, x, op.unary(tape, variance, saves="output", temporaries=2))
    del variance
    if wide:
        return op.cast(tape, op.weigh(tape, x, weight, shifted=True), before)
    return op.weigh(tape, op.cast(tape, x, before), weight)


def unweighted_norm(machine: Machine, x: Tensor) -> Tensor:
    """Llama 4's norm of queries and keys (`Llama4TextL2Norm`)."""
    tape, before = machine.tape, x.element
    tape.term = "norms"
    x = op.cast(tape, x, FLOAT32)
    rows = Form(0, 1)  # one number a head and token; of no weight beside the heads themselves
    variance = op.mean(tape, op.unary(tape, x, saves="input", temporaries=2), rows)
    x = op.multiply(tape, x, op.unary(tape, variance, saves="output", temporaries=2))
    return op.cast(tape, x, before)


def _rows(x: Tensor, weight: Parameter) -> Form:
    return Form(0, x.numel.per_token // weight.numel.fixed)


class Linear(NamedTuple):
    """A linear module.

    Attributes:
        weight: its weight.
        columns, rows: widths of input and output.
        quantized: "" or how: "4bit", "int8".
        adapter: what is added.
        bias: its bias.
        nested: whether the scales of 4-bit weights are quantised too.
        keeps_input: whether a 4-bit product keeps what it is given.
        share: the tokens that pass through it, as a ratio of all tokens.
    """

    weight: Parameter
    columns: int
    rows: int
    quantized: str
    adapter: Adapter | None
    bias: Parameter | None = None
    nested: bool = False
    keeps_input: bool = False
    share: tuple[int, int] = (1, 1)

    def each(self, width: int) -> Form:
        """A size of so much for each token that passes through."""
        some, of = self.share
        return Form(0, width * some // of)

    @property
    def out(self) -> Form:
        """Numbers that come out."""
        return self.each(self.rows)

    @property
    def work(self) -> Form:
        """Multiply-adds of its own weight."""
        return self.each(self.rows * self.columns)

    def weights(self) -> list[Parameter]:
        """Its weight and bias, and those of its adapter."""
        adapter = self.adapter
        own = [self.weight, *([self.bias] if self.bias else [])]
        return [*own, *(adapter.weights() if adapter else [])]


class Adapter(NamedTuple):
    """A low-rank adapter: down to the rank and up again, and DoRA's magnitude of every row."""

    down: Parameter
    up: Parameter
    rank: int
    dropout: bool
    magnitude: Parameter | None = None

    def weights(self) -> list[Parameter]:
        """Both factors, and the magnitude if there is one."""
        return [self.down, self.up, *([self.magnitude] if self.magnitude else [])]


def product(
    machine: Machine, x: Tensor, weight: Parameter | Tensor, out: Form, work: Form, bias: Parameter | None = None
) -> Tensor:
    """`F.linear`, which autocast runs in the compute dtype: `out` numbers by `work` multiply-adds."""
    if machine.compute is None:
        return products.matmul(machine.tape, x, weight, out, work, bias)
    x = op.cast(machine.tape, x, machine.compute)
    return products.matmul(machine.tape, x, _narrowed(machine.tape, weight, machine.compute), out, work, bias)


def _narrowed(tape: Tape, weight: Parameter | Tensor, element: int) -> Parameter | Tensor:
    """The weight, or the copy that autocast makes of it; copies of trained weights are kept for the whole pass."""
    if weight.element == element:
        return weight
    if isinstance(weight, Tensor):
        return op.cast(tape, weight, element)
    kept = tape.copies.get(id(weight))
    if kept is not None:
        return kept
    copy = tape.new(weight.numel, element, COPIES)
    if weight.trained:
        tape.copies[id(weight)] = op.widened(tape, copy, weight)
    return copy
