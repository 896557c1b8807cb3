"""The modules of a decoder, as transformers, peft and bitsandbytes run them, over shapes.

Sources: transformers 5.23.0 `models/*/modeling_*.py`, peft 0.21.2 `tuners/lora/layer.py` and `bnb.py`, bitsandbytes
0.50.2 `autograd/_functions.py`.
"""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog.dtypes import FLOAT32
from hbspec.catalog.weights import LAYER_NORM, PLAIN
from hbspec.estimators.step.lifetimes import liger, products
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import ParameterTensor, Tensor
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.tape import Tape

ADAPTERS = "adapter_activations"
"""The term of what adapters keep and compute."""

UNPACKED = "dequantized_weights"
"""The term of quantised weights in the compute dtype."""

COPIES = "weight_copies"
"""The term of the copies that autocast makes of weights."""


SHIFTED, WIDE, CENTRED, POWER = "rms_shifted", "rms_wide", "centred", "rms_power"
"""Kinds of norms beside the usual one, "rms"."""


class Machine(NamedTuple):
    """The state that modules share.

    Attributes:
        tape: runs operators.
        compute: bytes of a number in matrix products under autocast; None without autocast.
        stream: bytes of a number of the residual stream, and of cosines and sines.
        float16: whether 16-bit numbers are those of a GPU's fused kernels for float16.
        liger: whether Liger's kernels run.
    """

    tape: Tape
    compute: int | None
    stream: int
    float16: bool
    liger: bool


class Norm(NamedTuple):
    """A norm.

    Attributes:
        weight, bias: its weights.
        width: how many numbers are normed together.
        kind: how it is computed, see `hbspec.catalog.families.Family`.
    """

    weight: ParameterTensor
    width: int
    kind: str
    bias: ParameterTensor | None = None

    def weights(self) -> list[ParameterTensor]:
        """Its weights."""
        return [self.weight, *([self.bias] if self.bias else [])]


def norm(machine: Machine, x: Tensor, module: Norm, term: str) -> Tensor:
    """A norm, computed in fp32."""
    tape, weight = machine.tape, module.weight
    tape.term = term
    before, rows = x.element, Form(0, x.numel.per_token // module.width)
    if machine.liger:  # those of Gemma 2 and 3 share their gradient with the residual stream
        return liger.norm(tape, x, weight, rows, in_place=module.kind != SHIFTED)
    if module.kind in (LAYER_NORM, PLAIN):
        return _layer_norm(machine, x, module, rows)
    x = op.cast(tape, x, FLOAT32)
    x = _centred(tape, x, rows) if module.kind == CENTRED else scaled(tape, x, rows, power=module.kind == POWER)
    if module.kind == "rms":
        return op.weigh(tape, op.cast(tape, x, before), weight)
    copied = module.kind != WIDE and (module.kind != POWER or weight.element != FLOAT32)
    return op.cast(tape, op.weigh(tape, x, weight, copied=copied), before)


def _layer_norm(machine: Machine, x: Tensor, module: Norm, rows: Form) -> Tensor:
    """`nn.LayerNorm`, which autocast runs in fp32 with copies of its weights, and leaves so."""
    tape, weights = machine.tape, module.weights()
    if machine.compute is not None:
        x = op.cast(tape, x, FLOAT32)
    numel, element = x.numel, x.element
    held = [tape.save(x)] if x.node is not None or module.weight.trained else []
    for weight in weights if held else ():
        copied = weight.element != element
        held.append(tape.save(tape.new(weight.numel, element) if copied else op.NO_STORAGE))
    out = tape.new(numel, element)
    held += [tape.save(tape.new(rows, FLOAT32)) for _ in range(2)] if held else []
    needed, trained = x.node is not None, [(weight.numel, weight.trained) for weight in weights]

    def derivative(_: Tensor) -> list[Tensor | None]:
        of_input = tape.new(numel, element, op.BACKWARD) if needed else None
        return [of_input, *(tape.new(size, element, op.GRADIENTS) if wanted else None for size, wanted in trained)]

    tape.record(out, [x.node, *(weight.sink for weight in weights)], derivative, held)
    return op.fitting(tape, out, (x, *weights))


def scaled(tape: Tape, x: Tensor, rows: Form, *, power: bool = False) -> Tensor:
    """Each row divided by the root of its mean square, or multiplied by its power of -1/2."""
    variance = op.mean(tape, op.unary(tape, x, saves="input", temporaries=2), rows)
    variance = op.unary(tape, variance)  # + epsilon
    return op.multiply(tape, x, op.unary(tape, variance, saves="input" if power else "output", temporaries=2))


def normed_by_power(machine: Machine, x: Tensor, rows: Form) -> Tensor:
    """Gemma 4's norm without weights."""
    before = x.element
    return op.cast(machine.tape, scaled(machine.tape, op.cast(machine.tape, x, FLOAT32), rows, power=True), before)


def _centred(tape: Tape, x: Tensor, rows: Form) -> Tensor:
    """The same of each row without its mean, which is taken off twice (`CohereLayerNorm`)."""
    mean = op.mean(tape, x, rows)
    variance = op.mean(tape, op.unary(tape, op.less(tape, x, mean), saves="input", temporaries=2), rows)
    shifted = op.less(tape, x, mean)
    variance = op.unary(tape, variance)  # + epsilon
    return op.multiply(tape, shifted, op.unary(tape, variance, saves="output", temporaries=2))


def unweighted_norm(machine: Machine, x: Tensor) -> Tensor:
    """Llama 4's norm of queries and keys (`Llama4TextL2Norm`)."""
    tape, before = machine.tape, x.element
    tape.term = "norms"
    x = op.cast(tape, x, FLOAT32)
    rows = Form(0, 1)  # one number a head and token; of no weight beside the heads themselves
    variance = op.mean(tape, op.unary(tape, x, saves="input", temporaries=2), rows)
    x = op.multiply(tape, x, op.unary(tape, variance, saves="output", temporaries=2))
    return op.cast(tape, x, before)


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
        turned: whether the weight is turned around for each product, so that autocast does not keep its copy.
        share: the tokens that pass through it, as a ratio of all tokens.
    """

    weight: ParameterTensor
    columns: int
    rows: int
    quantized: str
    adapter: Adapter | None
    bias: ParameterTensor | None = None
    nested: bool = False
    keeps_input: bool = False
    turned: bool = False
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

    def weights(self) -> list[ParameterTensor]:
        """Its weight and bias, and those of its adapter."""
        adapter = self.adapter
        own = [self.weight, *([self.bias] if self.bias else [])]
        return [*own, *(adapter.weights() if adapter else [])]


class Adapter(NamedTuple):
    """A low-rank adapter: down to the rank and up again, and DoRA's magnitude of every row.

    Attributes:
        fills: numbers a token that come out, where they are only some of the module's, as LitGPT's on queries and
            values are; else None.
    """

    down: ParameterTensor
    up: ParameterTensor
    rank: int
    dropout: bool
    magnitude: ParameterTensor | None = None
    fills: int | None = None

    def weights(self) -> list[ParameterTensor]:
        """Both factors, and the magnitude if there is one."""
        return [self.down, self.up, *([self.magnitude] if self.magnitude else [])]


def product(
    machine: Machine,
    x: Tensor,
    weight: ParameterTensor | Tensor,
    out: Form,
    work: Form,
    bias: ParameterTensor | None = None,
    *,
    turned: bool = False,
) -> Tensor:
    """`F.linear`, which autocast runs in the compute dtype: `out` numbers by `work` multiply-adds."""
    if machine.compute is None:
        return products.matmul(machine.tape, x, weight, out, work, bias)
    x = op.cast(machine.tape, x, machine.compute)
    return products.matmul(machine.tape, x, narrowed(machine.tape, weight, machine.compute, turned), out, work, bias)


def narrowed(tape: Tape, weight: ParameterTensor | Tensor, element: int, turned: bool) -> ParameterTensor | Tensor:
    """The weight, or the copy that autocast makes of it; copies of trained weights are kept for the whole pass.

    Those of a turned one are not: it is a view (torch, `autocast_mode.cpp`, `cached_cast`).
    """
    if weight.element == element:
        return weight
    if isinstance(weight, Tensor):
        return op.cast(tape, weight, element)
    kept = tape.copies.get(id(weight))
    if kept is not None:
        return kept
    copy = tape.new(weight.numel, element, COPIES)
    if weight.trained and turned:
        return op.widened(tape, copy, weight)
    if weight.trained:
        tape.copies[id(weight)] = op.widened(tape, copy, weight)
    return copy
