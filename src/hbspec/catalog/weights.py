"""Every parameter tensor of a model, itemised by the module that holds it.

Shapes and names are those of transformers 5.23.0 (`models/*/modeling_*.py`), where the routed experts of a layer are
three-dimensional `nn.Parameter`s instead of lists of `nn.Linear`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from hbspec.catalog.architecture import Architecture
from hbspec.catalog.latent_attention import latent_attention_weights
from hbspec.catalog.layers import HYBRID
from hbspec.catalog.linear_attention import linear_attention_weights
from hbspec.catalog.short_convolution import short_convolution_weights
from hbspec.catalog.state_space import state_space_weights
from hbspec.catalog.weight import Weight

LAYER_NORM = "layer"
"""A norm with a bias."""

PLAIN = "layer_plain"
"""The same without one."""

XIELU = "xielu"
"""An activation with two weights of its own."""


@lru_cache(maxsize=64)
def weights(architecture: Architecture) -> tuple[Weight, ...]:
    """All tensors of the model, each parameter once: a tied output head is not listed."""
    if architecture.recorded is not None:
        return architecture.recorded.weights
    head = () if architecture.tie_word_embeddings else (output_head(architecture),)
    found = (
        Weight("embed_tokens", "embedding", 1, architecture.vocab_size, architecture.hidden_size),
        *_positions(architecture),
        *_attention(architecture),
        *_linear_attention(architecture),
        *_dense_mlp(architecture),
        *_sparse_mlp(architecture),
        *_norms(architecture),
        *head,
        *([Weight("lm_head.bias", "bias", 1, architecture.vocab_size, 1)] if architecture.family.head_bias else ()),
    )
    return tuple(_named(architecture, weight) for weight in found) if architecture.family.names else found


def updated_weights(architecture: Architecture) -> tuple[Weight, ...]:
    """Those that training on text updates, where all are trained: not those of layers that it does not run."""
    return weights(architecture) if architecture.recorded is None else architecture.recorded.updated


def _named(architecture: Architecture, weight: Weight) -> Weight:
    name = architecture.family.name(weight.name)
    return weight if name == weight.name else replace(weight, name=name, usual=weight.name)


def output_head(architecture: Architecture) -> Weight:
    """The output head, which every model has as a module, even where it is tied to the embedding."""
    if architecture.recorded is not None:
        return architecture.recorded.head
    return _named(architecture, Weight("lm_head", "head", 1, architecture.vocab_size, architecture.hidden_size))


def _linear(
    name: str, count: int, rows: int, columns: int, bias: bool = False, kind: str = "linear"
) -> Iterator[Weight]:
    if count:
        yield Weight(name, kind, count, rows, columns)
        if bias:
            yield Weight(f"{name}.bias", "bias", count, rows, 1)


def _kind(a: Architecture) -> str:
    return "own_linear" if a.family.own_linear else "linear"


def _positions(a: Architecture) -> Iterator[Weight]:
    if a.family.learned is not None:
        yield Weight("embed_positions", "embedding", 1, a.max_position_embeddings + a.family.learned, a.hidden_size)


def _attention(a: Architecture) -> Iterator[Weight]:
    hidden, kind = a.hidden_size, _kind(a)
    if a.latent_attention is not None:
        yield from latent_attention_weights(
            a.latent_attention, a.attention_layers, hidden, a.num_attention_heads, a.attention_bias
        )
        return
    for heads, layers in a.attention:
        query, key = heads.query_size, heads.key_value_size
        if a.family.fused_attention:
            yield from _linear("qkv_proj", layers, query + 2 * key, hidden, a.attention_bias, kind)
        else:
            yield from _linear("q_proj", layers, (1 + a.family.gated_attention) * query, hidden, a.attention_bias, kind)
            yield from _linear("k_proj", layers, key, hidden, a.attention_bias, kind)
            yield from _linear("v_proj", layers * heads.projected, key, hidden, a.attention_bias, kind)
        yield from _linear("o_proj", layers, hidden, query, a.output_bias, kind)
        if a.attention_sinks:
            yield Weight("sinks", "bias", layers, heads.number, 1)


def _linear_attention(a: Architecture) -> Iterator[Weight]:
    layers = a.num_hidden_layers - a.attention_layers
    if a.linear_attention is not None:
        yield from linear_attention_weights(a.linear_attention, a.family.linear_attention, layers, a.hidden_size)
    if a.state_space is not None:
        beside = a.layer_types.count(HYBRID)
        yield from state_space_weights(a.state_space, layers + beside, a.hidden_size)
    if a.short_convolution is not None:
        yield from short_convolution_weights(a.short_convolution, layers, a.hidden_size)


def _mlp(prefix: str, count: int, size: int, a: Architecture) -> Iterator[Weight]:
    kind = _kind(a)
    if a.family.fused_mlp:
        yield from _linear(f"{prefix}gate_up_proj", count, 2 * size, a.hidden_size, a.mlp_bias, kind)
    else:
        if a.family.gated:
            yield from _linear(f"{prefix}gate_proj", count, size, a.hidden_size, a.mlp_bias, kind)
        yield from _linear(f"{prefix}up_proj", count, size, a.hidden_size, a.mlp_bias, kind)
    yield from _linear(f"{prefix}down_proj", count, a.hidden_size, size, a.mlp_bias, kind)


def _dense_mlp(a: Architecture) -> Iterator[Weight]:
    beside = len(a.moe_layers) if not a.family.expert_norms else 0
    return _mlp("", a.num_hidden_layers - beside, a.intermediate_size, a)


def _sparse_mlp(a: Architecture) -> Iterator[Weight]:
    layers, hidden, size, experts = len(a.moe_layers), a.hidden_size, a.moe_intermediate_size, a.num_experts
    if not layers:
        return
    router = a.family.router
    if a.family.looped:
        yield from _linear(router, layers, experts, hidden)
        for name in ("w1", "v1", "w2"):
            yield Weight(f"experts.{name}", "expert", layers, size, hidden, experts)
        return
    if a.family.expert_norms:
        yield Weight(f"{router}.proj", "linear", layers, experts, hidden)
        yield Weight(f"{router}.scale", "bias", layers, hidden, 1)
        yield Weight(f"{router}.per_expert_scale", "bias", layers, experts, 1)
    else:
        yield Weight(router, "router", layers, experts, hidden)
    yield Weight("experts.gate_up_proj", "expert", layers, 2 * size, hidden, experts)
    yield Weight("experts.down_proj", "expert", layers, hidden, size, experts)
    if a.expert_bias:
        yield Weight(f"{router}.bias", "bias", layers, experts, 1)
        yield Weight("experts.gate_up_proj_bias", "bias", layers, 2 * size, 1, experts)
        yield Weight("experts.down_proj_bias", "bias", layers, hidden, 1, experts)
    if a.shared_expert_intermediate_size:
        yield from _mlp("shared_expert.", layers, a.shared_expert_intermediate_size, a)
        if a.family.shared_expert_gate:
            yield from _linear("shared_expert_gate", layers, 1, hidden)


def _norms(a: Architecture) -> Iterator[Weight]:
    for name in filter(None, a.norm_names):
        yield from _norm(name, a.num_hidden_layers, a.hidden_size, a)
    for name in a.family.expert_norms:
        yield from _norm(name, len(a.moe_layers), a.hidden_size, a)
    if a.qk_norm and a.attention_layers:
        for heads, layers in a.attention:
            widths = (heads.width, heads.width) if a.qk_norm == "head" else (heads.query_size, heads.key_value_size)
            for name, width in zip(("q_norm", "k_norm"), widths, strict=True):
                yield from _norm(name, layers, width, a)
    if a.activation == XIELU:
        yield Weight("act_fn.alpha_p", "bias", a.num_hidden_layers, 1, 1)
        yield Weight("act_fn.alpha_n", "bias", a.num_hidden_layers, 1, 1)
    yield from _norm("norm", 1, a.hidden_size, a)


def _norm(name: str, count: int, width: int, a: Architecture) -> Iterator[Weight]:
    yield Weight(name, "norm", count, width, 1)
    if a.family.norm == LAYER_NORM:
        yield Weight(f"{name}.bias", "bias", count, width, 1)
