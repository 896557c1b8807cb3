"""Linear modules over shapes, with what peft adds to them and how bitsandbytes multiplies them.

Sources: peft 0.21.2 `tuners/lora/layer.py`, `bnb.py` and `dora.py`, bitsandbytes 0.50.2 `autograd/_functions.py`.
"""

from __future__ import annotations

from hbspec.catalog.dtypes import FLOAT32
from hbspec.catalog.parameters import NF4_BLOCK
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import ParameterTensor, Saved, Tensor
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.modules import ADAPTERS, UNPACKED, Adapter, Linear, Machine, product
from hbspec.estimators.step.lifetimes.tape import Tape


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
    machine: Machine, x: Tensor, result: Tensor, module: Linear, adapter: Adapter, magnitude: ParameterTensor
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


def _whole_weight(machine: Machine, module: Linear, element: int) -> ParameterTensor | Tensor:
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


def _base(machine: Machine, x: Tensor, module: Linear) -> Tensor:
    if module.quantized == "4bit":
        return _four_bit(machine, x, module)
    if module.quantized == "int8":
        return _eight_bit(machine, x, module)
    return product(machine, x, module.weight, module.out, module.work, module.bias, turned=module.turned)


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

    The input is kept on the function's context, which non-reentrant checkpointing does not see: it lives in every
    layer. Reentrant checkpointing runs the layer without differentiation, and the context goes with the call.
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
