"""Attention over shapes whose values are normed, and which rotates before it turns rows to lie head by head.

Source: transformers 5.23.0, `Gemma4TextAttention` of `models/gemma4/modeling_gemma4.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.attention import Eager, attend
from hbspec.estimators.step.lifetimes.autograd import Tensor
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.linear import linear
from hbspec.estimators.step.lifetimes.modules import Machine, norm, normed_by_power
from hbspec.estimators.step.lifetimes.rotation import turned

if TYPE_CHECKING:
    from hbspec.estimators.step.lifetimes.decoder import DecoderLayer

TERM = "attention"


def normed_values_attention(machine: Machine, layer: DecoderLayer, x: Tensor) -> tuple[Tensor, Tensor | None]:
    """The output of attention, and its weights where all of them are there."""
    linears = layer.linears
    query = _turned(
        machine, layer, norm(machine, linear(machine, x, linears["q_proj"], TERM), layer.norms["q_norm"], "norms")
    )
    key = linear(machine, x, linears["k_proj"], TERM)
    value = linear(machine, x, linears["v_proj"], TERM) if "v_proj" in linears else key
    key = norm(machine, key, layer.norms["k_norm"], "norms")
    key = _turned(machine, layer, key)
    machine.tape.term = "norms"
    value = normed_by_power(machine, value, Form(0, layer.key_value_heads))
    eager = Eager(layer.capped, layer.sinks, layer.several_rows) if layer.attention == "eager" else None
    heads = layer.heads, layer.key_value_heads
    out, weights = attend(machine, eager, layer.masked, heads, query, key, value)
    return linear(machine, out, linears["o_proj"], TERM), weights


def _turned(machine: Machine, layer: DecoderLayer, x: Tensor) -> Tensor:
    machine.tape.term = TERM
    return x if layer.rotation is None else turned(machine, layer.rotation, x, op.NO_STORAGE)
