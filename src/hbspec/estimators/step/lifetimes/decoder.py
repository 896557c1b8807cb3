"""One decoder layer, run over shapes as transformers' modeling code runs it.

A function's locals live as long as they do there, since that is when their storages may go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hbspec.catalog.dtypes import FLOAT32
from hbspec.estimators.step.lifetimes import layouts
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.attention import Eager, attend
from hbspec.estimators.step.lifetimes.autograd import Parameter, Tensor
from hbspec.estimators.step.lifetimes.embedding import LAYER_INPUTS
from hbspec.estimators.step.lifetimes.experts import Experts, listed_mlp, repeated_mlp, sparse_mlp
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.linear import linear
from hbspec.estimators.step.lifetimes.modules import Linear, Machine, norm, unweighted_norm


class Layer(NamedTuple):
    """One layer's modules by the name of their leaf, and its kind.

    Attributes:
        linears: `q_proj`, …
        norms: `input_layernorm`, …
        heads, key_value_heads: of the attention.
        attention: "sdpa", "eager" or "flash_attention_2".
        masked: whether it gets a mask.
        capped: whether attention scores are, as Gemma 2's.
        experts: of a sparse layer.
        sinks: whether attention has one more, learned score a row, as gpt-oss has.
        unweighted_norms: whether rotated queries and keys are normed without weights, as Llama 4's are.
        wide_norms: whether norms weigh in fp32, as Gemma's do.
    """

    linears: Mapping[str, Linear]
    norms: Mapping[str, Parameter]
    heads: int
    key_value_heads: int
    attention: str
    masked: bool
    capped: bool
    sinks: bool
    unweighted_norms: bool
    wide_norms: bool
    experts: Experts | None

    @property
    def trained(self) -> bool:
        """Whether anything in it is trained."""
        return any(weight.trained for weight in self.weights())

    def weights(self) -> list[Parameter]:
        """Weights of all modules and of their adapters."""
        linears = (weight for module in self.linears.values() for weight in module.weights())
        return [*self.norms.values(), *linears, *(self.experts.weights() if self.experts else [])]


def layer_forward(machine: Machine, layer: Layer, x: Tensor) -> Tensor:
    """One decoder layer over the residual stream."""
    sandwich = "pre_feedforward_layernorm" in layer.norms
    residual = x
    x = _norm(machine, layer, x, "input_layernorm")
    x = _attention(machine, layer, x)
    if sandwich:
        x = _norm(machine, layer, x, "post_attention_layernorm")
    x = op.add(machine.tape, residual, x, LAYER_INPUTS)
    residual = x
    x = _norm(machine, layer, x, "pre_feedforward_layernorm" if sandwich else "post_attention_layernorm")
    x = _mlp(machine, layer, x)
    if sandwich:
        x = _norm(machine, layer, x, "post_feedforward_layernorm")
    return op.add(machine.tape, residual, x, LAYER_INPUTS)


def _norm(machine: Machine, layer: Layer, x: Tensor, name: str) -> Tensor:
    return norm(machine, x, layer.norms[name], "norms", wide=layer.wide_norms)


def _attention(machine: Machine, layer: Layer, x: Tensor) -> Tensor:
    query, key, value = _projected(machine, layer, x)
    if layer.unweighted_norms:
        query, key = _turned_complex(machine, query, key)
    else:
        query, key = _rotated(machine, query), _rotated(machine, key)
    fused = "qkv_proj" in layer.linears
    if fused:  # Phi-3 puts rotated and other dimensions together again, head after head, and so comes the output
        query, key = op.clone(machine.tape, query), op.clone(machine.tape, key)
    heads = layer.heads, layer.key_value_heads
    eager = Eager(layer.capped, layer.sinks) if layer.attention == "eager" else None
    out = attend(machine, eager, layer.masked, heads, query, key, value)
    if fused:
        out = op.clone(machine.tape, out)
    return linear(machine, out, layer.linears["o_proj"], "attention")


def _projected(machine: Machine, layer: Layer, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    linears = layer.linears
    if "qkv_proj" in linears:
        key = (linears["qkv_proj"].rows - linears["o_proj"].columns) // 2
        fused = linear(machine, x, linears["qkv_proj"], "attention")
        widths = linears["o_proj"].columns, key, key
        query, key_states, value = (layouts.part(machine.tape, fused, Form(0, width)) for width in widths)
        return query, key_states, value
    query = _head_norm(machine, layer, linear(machine, x, linears["q_proj"], "attention"), "q_norm")
    key_states = _head_norm(machine, layer, linear(machine, x, linears["k_proj"], "attention"), "k_norm")
    return query, key_states, linear(machine, x, linears["v_proj"], "attention")


def _head_norm(machine: Machine, layer: Layer, x: Tensor, name: str) -> Tensor:
    return _norm(machine, layer, x, name) if name in layer.norms else x


def _rotated(machine: Machine, x: Tensor) -> Tensor:
    """`x * cos + rotate_half(x) * sin`."""
    tape = machine.tape
    tape.term = "attention"
    x = layouts.laid_out(tape, x)
    straight = op.turn(tape, x, machine.stream)
    return op.add(tape, straight, op.turn(tape, layouts.rotate_half(tape, x), machine.stream))


def _turned_complex(machine: Machine, query: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
    """Llama 4's rotation by complex numbers, in fp32, and its norms."""
    tape = machine.tape
    tape.term = "attention"
    elements = query.element, key.element
    wide = [op.cast(tape, x, FLOAT32) for x in (query, key)]
    turned = [op.turn(tape, x, FLOAT32) for x in wide]
    query, key = (op.cast(tape, x, element) for x, element in zip(turned, elements, strict=True))
    del wide, turned
    return unweighted_norm(machine, query), unweighted_norm(machine, key)


def _mlp(machine: Machine, layer: Layer, x: Tensor) -> Tensor:
    if layer.experts is not None:
        if layer.experts.listed:
            return listed_mlp(machine, layer.experts, x)
        run = repeated_mlp if layer.experts.repeated else sparse_mlp
        return run(machine, layer.experts, x)
    gated = _fused_gate if "gate_up_proj" in layer.linears else _gate
    return linear(machine, gated(machine, layer, x), layer.linears["down_proj"], "mlp")


def _gate(machine: Machine, layer: Layer, x: Tensor) -> Tensor:
    """`act(gate(x)) * up(x)`."""
    gate = linear(machine, x, layer.linears["gate_proj"], "mlp")
    machine.tape.term = "mlp"
    activated = op.unary(machine.tape, gate, saves="input")
    del gate
    up = linear(machine, x, layer.linears["up_proj"], "mlp")
    machine.tape.term = "mlp"
    return op.multiply(machine.tape, activated, up)


def _fused_gate(machine: Machine, layer: Layer, x: Tensor) -> Tensor:
    """`up * act(gate)` of the two halves of one product."""
    both = linear(machine, x, layer.linears["gate_up_proj"], "mlp")
    machine.tape.term = "mlp"
    half = Form(0, layer.linears["gate_up_proj"].rows // 2)
    gate, up = layouts.part(machine.tape, both, half), layouts.part(machine.tape, both, half)
    del both
    return op.multiply(machine.tape, up, op.unary(machine.tape, gate, saves="input"))
