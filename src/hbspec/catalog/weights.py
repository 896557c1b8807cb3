"""Every parameter tensor of a model, itemised by the module that holds it.

Shapes and names are those of transformers 5.23.0 (`models/*/modeling_*.py`), where the routed experts of a layer are
three-dimensional `nn.Parameter`s instead of lists of `nn.Linear`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from hbspec.catalog.architecture import Architecture


@dataclass(frozen=True, slots=True)
class Weight:
    """One kind of parameter tensor.

    Attributes:
        name: the module within its layer (`q_proj`, `shared_expert.up_proj`, `experts.gate_up_proj`) or within the
            model (`embed_tokens`); a bias is `q_proj.bias`.
        kind: "linear" (an `nn.Linear`: bitsandbytes quantises it, LoRA can target it), "expert" (fused routed experts:
            not quantised), "router" (chooses the experts: not quantised), "embedding", "head", "norm", or "bias" (any
            other vector, including gpt-oss's attention sinks).
        count: number of such tensors in the whole model.
        rows: output features.
        columns: input features; 1 for a vector.
        copies: number of experts in one tensor.
    """

    name: str
    kind: str
    count: int
    rows: int
    columns: int
    copies: int = 1

    @property
    def parameters(self) -> int:
        """The number of elements in all these tensors together."""
        return self.count * self.copies * self.rows * self.columns

    @property
    def leaf(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]


@lru_cache(maxsize=64)
def weights(architecture: Architecture) -> tuple[Weight, ...]:
    """All tensors of the model, each parameter once: a tied output head is not listed."""
    head = () if architecture.tie_word_embeddings else (output_head(architecture),)
    return (
        Weight("embed_tokens", "embedding", 1, architecture.vocab_size, architecture.hidden_size),
        *_attention(architecture),
        *_dense_mlp(architecture),
        *_sparse_mlp(architecture),
        *_norms(architecture),
        *head,
    )


def output_head(architecture: Architecture) -> Weight:
    """The output head, which every model has as a module, even where it is tied to the embedding."""
    return Weight("lm_head", "head", 1, architecture.vocab_size, architecture.hidden_size)


def _linear(name: str, count: int, rows: int, columns: int, bias: bool = False) -> Iterator[Weight]:
    if count:
        yield Weight(name, "linear", count, rows, columns)
        if bias:
            yield Weight(f"{name}.bias", "bias", count, rows, 1)


def _attention(a: Architecture) -> Iterator[Weight]:
    layers, hidden, query, key = a.num_hidden_layers, a.hidden_size, a.query_size, a.key_value_size
    if a.fused_projections:
        yield from _linear("qkv_proj", layers, query + 2 * key, hidden, a.attention_bias)
    else:
        yield from _linear("q_proj", layers, query, hidden, a.attention_bias)
        yield from _linear("k_proj", layers, key, hidden, a.attention_bias)
        yield from _linear("v_proj", layers, key, hidden, a.attention_bias)
    yield from _linear("o_proj", layers, hidden, query, a.output_bias)
    if a.attention_sinks:
        yield Weight("sinks", "bias", layers, a.num_attention_heads, 1)


def _mlp(prefix: str, count: int, size: int, a: Architecture) -> Iterator[Weight]:
    if a.fused_projections:
        yield from _linear(f"{prefix}gate_up_proj", count, 2 * size, a.hidden_size, a.mlp_bias)
    else:
        yield from _linear(f"{prefix}gate_proj", count, size, a.hidden_size, a.mlp_bias)
        yield from _linear(f"{prefix}up_proj", count, size, a.hidden_size, a.mlp_bias)
    yield from _linear(f"{prefix}down_proj", count, a.hidden_size, size, a.mlp_bias)


def _dense_mlp(a: Architecture) -> Iterator[Weight]:
    return _mlp("", a.num_hidden_layers - len(a.moe_layers), a.intermediate_size, a)


def _sparse_mlp(a: Architecture) -> Iterator[Weight]:
    layers, hidden, size, experts = len(a.moe_layers), a.hidden_size, a.moe_intermediate_size, a.num_experts
    if not layers:
        return
    router = a.family.router
    yield Weight(router, "router", layers, experts, hidden)
    yield Weight("experts.gate_up_proj", "expert", layers, 2 * size, hidden, experts)
    yield Weight("experts.down_proj", "expert", layers, hidden, size, experts)
    if a.expert_bias:
        yield Weight(f"{router}.bias", "bias", layers, experts, 1)
        yield Weight("experts.gate_up_proj_bias", "bias", layers, 2 * size, 1, experts)
        yield Weight("experts.down_proj_bias", "bias", layers, hidden, 1, experts)
    if a.shared_expert_intermediate_size:
        yield from _mlp("shared_expert.", layers, a.shared_expert_intermediate_size, a)


def _norms(a: Architecture) -> Iterator[Weight]:
    names = ["input_layernorm", "post_attention_layernorm"]
    if a.sandwich_norm:
        names += ["pre_feedforward_layernorm", "post_feedforward_layernorm"]
    for name in names:
        yield Weight(name, "norm", a.num_hidden_layers, a.hidden_size, 1)
    if a.qk_norm:
        yield Weight("q_norm", "norm", a.num_hidden_layers, a.head_dim, 1)
        yield Weight("k_norm", "norm", a.num_hidden_layers, a.head_dim, 1)
    yield Weight("norm", "norm", 1, a.hidden_size, 1)
