"""The modules of a decoder, as transformers, peft and bitsandbytes run them, over shapes.

Sources: transformers 5.23.0 `models/*/modeling_*.py`, peft 0.21.2 `tuners/lora/layer.py` and `bnb.py`, bitsandbytes
0.50.2 `autograd/_functions.py`.
"""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog.parameters import NF4_BLOCK
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import Parameter, Saved, Tape, Tensor
from hbspec.estimators.step.lifetimes.ledger import Form

FLOAT32 = 4

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
        compute: bytes of a number in matrix products under autocast; None is no autocast.
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


def linear(machine: Machine, given: Tensor, module: Linear, term: str) -> Tensor:
    """A linear module with its adapter. What a module is given lives until it returns, whatever it is cast to."""
    tape, x = machine.tape, given
    tape.term = term
    result = _base(machine, x, module)
    adapter = module.adapter
    if adapter is None:
        return result
    tape.term = ADAPTERS
    before = result.element
    if module.quantized == "4bit":
        result = op.clone(tape, result)
    convert = not (module.quantized and machine.compute)
    if convert:
        x = op.cast(tape, x, adapter.down.element)
    if adapter.magnitude is not None:
        result = decomposed(machine, x, result, module, adapter, adapter.magnitude)
        return op.cast(tape, result, before) if convert else result
    low = _lowered(machine, x, module, adapter)
    output = product(machine, low, adapter.up, module.out, module.each(adapter.rank * module.rows))
    del low
    output = op.unary(tape, output)  # * scaling
    if module.quantized and convert:
        output = op.cast(tape, output, before)
    tape.term = term
    result = op.add(tape, result, output)
    del output
    return op.cast(tape, result, before)


def decomposed(
    machine: Machine, x: Tensor, result: Tensor, module: Linear, adapter: Adapter, magnitude: Parameter
) -> Tensor:
    """DoRA: the norm of every row of weight and adapter together, for which both are made whole.

    Source: peft 0.21.2, `tuners/lora/dora.py`, `DoraLinearLayer.forward`.
    """
    tape = machine.tape
    base = None if adapter.dropout else result
    if adapter.dropout:
        x = op.dropout(tape, x)
    delta = op.cast(tape, _whole_adapter(machine, module, adapter), x.element)
    weight = _whole_weight(machine, module, x.element)
    scaled = tape.new(delta.numel, delta.element)
    total = tape.new(delta.numel, delta.element)
    del scaled, total
    low = product(machine, x, adapter.down, Form(0, adapter.rank), Form(0, adapter.rank * module.columns))
    adapted = product(machine, low, adapter.up, module.out, Form(0, adapter.rank * module.rows))
    del low
    if base is None:
        base = product(machine, x, weight, module.out, module.work)
    elif module.bias is not None:
        base = op.unary(tape, base)  # - bias
    factor = Tensor(None, magnitude.numel, magnitude.element, magnitude.sink)
    first = op.multiply(tape, base, factor)
    second = op.unary(tape, op.multiply(tape, adapted, factor))  # * scaling
    output = op.add(tape, first, second)
    del first, second, delta, weight, base, adapted
    return op.add(tape, result, output)


def _whole_adapter(machine: Machine, module: Linear, adapter: Adapter) -> Tensor:
    """The adapter applied to the unit matrix."""
    unit, rank = machine.tape.new(Form(module.columns**2), adapter.down.element), adapter.rank
    low = product(machine, unit, adapter.down, Form(module.columns * rank), Form(module.columns**2 * rank))
    return product(
        machine, low, adapter.up, Form(module.columns * module.rows), Form(module.columns * rank * module.rows)
    )


def _whole_weight(machine: Machine, module: Linear, element: int) -> Parameter | Tensor:
    """The weight, unpacked if quantised, and in the input's dtype."""
    weight = module.weight
    if not module.quantized and weight.element == element:
        return weight
    if not module.quantized:
        return machine.tape.new(weight.numel, element)
    unpacked = _unpacked(machine.tape, weight.numel, weight.element, module.nested)
    return op.cast(machine.tape, unpacked, element)


def _lowered(machine: Machine, x: Tensor, module: Linear, adapter: Adapter) -> Tensor:
    dropped = op.dropout(machine.tape, x) if adapter.dropout else x
    out, work = module.each(adapter.rank), module.each(adapter.rank * module.columns)
    return product(machine, dropped, adapter.down, out, work)


def product(
    machine: Machine, x: Tensor, weight: Parameter | Tensor, out: Form, work: Form, bias: Parameter | None = None
) -> Tensor:
    """`F.linear`, which autocast runs in the compute dtype: `out` numbers by `work` multiply-adds."""
    if machine.compute is None:
        return op.matmul(machine.tape, x, weight, out, work, bias)
    x = op.cast(machine.tape, x, machine.compute)
    return op.matmul(machine.tape, x, _narrowed(machine.tape, weight, machine.compute), out, work, bias)


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


def _base(machine: Machine, x: Tensor, module: Linear) -> Tensor:
    if module.quantized == "4bit":
        return _four_bit(machine, x, module)
    if module.quantized == "int8":
        return _eight_bit(machine, x, module)
    return product(machine, x, module.weight, module.out, module.work, module.bias)


def _four_bit(machine: Machine, x: Tensor, module: Linear) -> Tensor:
    """Bitsandbytes' 4-bit product: weights are unpacked for it, and again on the way back."""
    tape, before, numel = machine.tape, x.element, module.weight.numel
    x = op.cast(tape, x, module.weight.element)
    element, width = x.element, x.numel
    held = [tape.save(x)] if module.keeps_input and x.node is not None else []
    nested = module.nested
    scales = [_scales(tape, numel) for _ in range(2 * nested)]  # before and after their offset is added
    unpacked = tape.new(numel, element, UNPACKED)
    out, work = tape.new(module.out, element), module.work
    tape.multiply(work)
    del unpacked, scales

    def derivative(_: Tensor) -> list[Tensor | None]:
        tape.multiply(work)
        unpacked = _unpacked(tape, numel, element, nested)
        result = tape.new(width, element, op.BACKWARD)
        del unpacked
        return [result]

    return op.cast(tape, tape.record(out, [x.node], derivative, held), before)


def _unpacked(tape: Tape, numel: Form, element: int, nested: bool) -> Tensor:
    """The weight in the compute dtype; its scales are gone again."""
    scales = [_scales(tape, numel)] if nested else []
    unpacked = tape.new(numel, element, UNPACKED)
    del scales
    return unpacked


def _scales(tape: Tape, numel: Form) -> Tensor:
    return tape.new(Form(numel.fixed // NF4_BLOCK), FLOAT32, UNPACKED)


def _eight_bit(machine: Machine, x: Tensor, module: Linear) -> Tensor:
    """Bitsandbytes' 8-bit product (LLM.int8) with its search for outliers, of which none is taken to be found.

    The input is kept on the function's context, which checkpointing does not see: it lives in every layer.
    """
    tape, numel, element, width = machine.tape, module.weight.numel, x.element, x.numel
    out, work, half = module.out, module.work, 2
    tape.multiply(work)
    narrow = tape.new(width, half)
    codes = [tape.new(Form(0, 1), FLOAT32), tape.new(width, 1)]
    magnitudes = tape.new(width, half)
    outliers = tape.new(width, 1)
    del magnitudes, outliers, narrow
    whole = tape.new(out, FLOAT32)
    result = tape.new(out, half)
    if element != half or module.weight.element == half:
        result = tape.new(out, element)
    del whole, codes
    held = [Saved(x.storage)] if x.node is not None else []

    def derivative(_: Tensor) -> list[Tensor | None]:
        tape.multiply(work)
        unpacked = tape.new(numel, element, UNPACKED)
        result = tape.new(width, element, op.BACKWARD)
        del unpacked
        return [result]

    return tape.record(result, [x.node], derivative, held)
