"""Fused experts that are quantised, over shapes: those of a layer are all dequantised when their module runs.

What is dequantised lives until the module is done, and longer where the way back needs it: it is not made again.

Sources: bitsandbytes 0.50.2, `nn/parametrize.py` (`Bnb4bitParametrization`, whose hooks cache what it makes) and
`_ops.py` (`int8_vectorwise_dequant`, which makes float32); axolotl 0.19.0, `monkeypatch/moe_quant.py`, which quantises
experts so while it loads them.
"""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog.dtypes import FLOAT32
from hbspec.catalog.parameters import NF4_BLOCK
from hbspec.estimators.step.lifetimes.autograd import ParameterTensor, Tensor
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.modules import UNPACKED, Machine


class Packing(NamedTuple):
    """How fused experts are stored.

    Attributes:
        quantized: "4bit" or "int8".
        nested: whether the scales of 4-bit weights are quantised too.
    """

    quantized: str
    nested: bool

    def element(self, compute: int) -> int:
        """Bytes of a number once it is dequantised."""
        return FLOAT32 if self.quantized == "int8" else compute


def opened(machine: Machine, weight: ParameterTensor, packing: Packing | None) -> ParameterTensor | Tensor:
    """The weight, dequantised where it is quantised."""
    if packing is None:
        return weight
    tape, numel = machine.tape, weight.numel
    beside = []
    if packing.quantized == "int8":
        beside = [tape.new(numel, FLOAT32, UNPACKED)]  # before it is divided by 127
    elif packing.nested:
        beside = [tape.new(Form(numel.fixed // NF4_BLOCK), FLOAT32, UNPACKED)]
    whole = tape.new(numel, weight.element, UNPACKED)
    del beside
    return whole
