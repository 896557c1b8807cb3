"""The shape of a decoder-only language model, read from a Hugging Face `config.json`.

A field that a config omits has the default of transformers' config class (5.23.0, `configuration_*.py`, see
`families.py`). The five sizes in `ALWAYS_WRITTEN` have defaults there too, but `save_pretrained` always writes them at
the top level, so a config.json without one is damaged and is refused. Inside a `text_config`, transformers omits values
that equal the default (as in Gemma 3's published configs), so the defaults apply there.

Only the language model of a multimodal wrapper (`gemma3`, `llama4`) is read: the vision tower and the projector are not
counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from hbspec.catalog.config_fields import MOST_LAYERS, ArchitectureError, Fields, shown
from hbspec.catalog.families import FAMILIES, WRAPPERS, Family

ALWAYS_WRITTEN = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size")

FULL, SLIDING, CHUNKED = "full_attention", "sliding_attention", "chunked_attention"


class Architecture(NamedTuple):
    """All properties that parameter counts, memory and FLOPs depend on. Names are those of config.json.

    Attributes:
        model_type: the language model's type: `qwen2`, `gemma3_text`, `llama4_text`, …
        intermediate_size: width of a dense MLP (Llama 4 calls it `intermediate_size_mlp`).
        head_dim: width of one head: explicit, or hidden_size / num_attention_heads.
        vocab_size: rows of the embedding.
        tie_word_embeddings: whether the output head is the embedding.
        attention_bias: biases on the query, key and value projections.
        output_bias: a bias on the attention's output projection.
        mlp_bias: biases in a dense MLP.
        qk_norm: RMS norms with weights on each head's queries and keys.
        sandwich_norm: four norms per layer, around attention and around the MLP, instead of two.
        fused_projections: `qkv_proj` and `gate_up_proj` instead of separate projections (Phi-3).
        attention_sinks: one learned logit per head (gpt-oss).
        num_experts: routed experts per sparse layer; 0 for a dense model.
        num_experts_per_tok: routed experts that each token visits.
        moe_intermediate_size: width of one routed expert; 0 for a dense model.
        shared_expert_intermediate_size: width of the expert that every token visits; 0 without one.
        expert_bias: biases in the experts and in the router (gpt-oss).
        moe_layers: indices of the layers whose MLP is sparse.
        layer_types: `full_attention`, `sliding_attention` or `chunked_attention` for each layer.
        sliding_window: tokens that a sliding or chunked layer attends to; None without such layers.
        torch_dtype: dtype of the published weights; None where not known.
        multimodal: whether this is the language model inside a wrapper with a vision tower.
    """

    model_type: str
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    vocab_size: int
    max_position_embeddings: int
    tie_word_embeddings: bool
    attention_bias: bool
    output_bias: bool
    mlp_bias: bool
    qk_norm: bool
    sandwich_norm: bool
    fused_projections: bool
    attention_sinks: bool
    num_experts: int
    num_experts_per_tok: int
    moe_intermediate_size: int
    shared_expert_intermediate_size: int
    expert_bias: bool
    moe_layers: tuple[int, ...]
    layer_types: tuple[str, ...]
    sliding_window: int | None
    torch_dtype: str | None
    multimodal: bool

    @property
    def family(self) -> Family:
        """What tells this `model_type` from others."""
        return FAMILIES[self.model_type]

    @property
    def is_sparse(self) -> bool:
        """Whether any layer has routed experts."""
        return bool(self.moe_layers)

    @property
    def query_size(self) -> int:
        """Width of all queries per token."""
        return self.num_attention_heads * self.head_dim

    @property
    def key_value_size(self) -> int:
        """Width of all keys per token, equal to the width of all values."""
        return self.num_key_value_heads * self.head_dim

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Architecture:
        """The architecture that a `config.json` describes.

        Raises:
            ArchitectureError: the model type is not supported, a field is missing or not a number of its kind, or
                sizes do not divide.
        """
        model_type = config.get("model_type")
        supported = sorted({*FAMILIES, *WRAPPERS})
        if not isinstance(model_type, str) or model_type not in supported:
            said = "is missing" if model_type is None else f"{shown(model_type)} is not supported"
            raise ArchitectureError("model_type", f"{said}; supported: {', '.join(supported)}")
        if model_type not in WRAPPERS:
            return _architecture(Fields(config, FAMILIES[model_type], ""), None, model_type)
        inner = config.get("text_config")
        if not isinstance(inner, Mapping):
            raise ArchitectureError("text_config", f"is missing; a {model_type} config holds its language model there")
        text_type = WRAPPERS[model_type]
        if inner.get("model_type", text_type) != text_type:
            raise ArchitectureError(
                "text_config.model_type", f"{shown(inner['model_type'])} is not {text_type}, which {model_type} holds"
            )
        return _architecture(Fields(inner, FAMILIES[text_type], "text_config."), config, text_type)


def _architecture(fields: Fields, wrapper: Mapping[str, Any] | None, model_type: str) -> Architecture:
    family, config = fields.family, fields.config
    if wrapper is None:
        for field in ALWAYS_WRITTEN:
            if config.get(field) is None:
                raise fields.fail(field, f"is missing; a {model_type} config.json always has it")
    hidden = fields.whole("hidden_size")
    layers = fields.whole("num_hidden_layers", MOST_LAYERS)
    experts, per_token, moe_layers = _experts(fields, layers)
    expert_size = fields.whole(family.expert_size) if moe_layers else 0
    window, layer_types = _attention(fields, layers)
    dtypes = (place.get(name) for place in (config, wrapper or {}) for name in ("dtype", "torch_dtype"))
    return Architecture(
        model_type=model_type,
        hidden_size=hidden,
        **_heads(fields, hidden),
        intermediate_size=fields.whole(family.dense_size),
        num_hidden_layers=layers,
        vocab_size=fields.whole("vocab_size"),
        max_position_embeddings=fields.whole("max_position_embeddings"),
        tie_word_embeddings=_tied(fields, wrapper or {}),
        attention_bias=family.qkv_bias or fields.flag("attention_bias"),
        output_bias=fields.flag("attention_bias"),
        mlp_bias=fields.flag("mlp_bias"),
        qk_norm=family.qk_norm,
        sandwich_norm=family.sandwich_norm,
        fused_projections=family.fused_projections,
        attention_sinks=family.attention_sinks,
        num_experts=experts,
        num_experts_per_tok=per_token,
        moe_intermediate_size=expert_size,
        shared_expert_intermediate_size=expert_size if family.shared_expert else 0,
        expert_bias=family.expert_bias,
        moe_layers=moe_layers,
        layer_types=layer_types,
        sliding_window=window,
        torch_dtype=next((value for value in dtypes if isinstance(value, str)), None),
        multimodal=wrapper is not None,
    )


def _heads(fields: Fields, hidden: int) -> dict[str, int]:
    """The numbers of heads, and the width of one."""
    heads = fields.whole("num_attention_heads")
    key_value_heads = fields.optional_whole("num_key_value_heads") or heads
    if heads % key_value_heads:
        raise fields.fail("num_key_value_heads", f"{key_value_heads} does not divide num_attention_heads {heads}")
    head_dim = fields.optional_whole("head_dim")
    if (head_dim is None or fields.family.heads_divide_hidden) and hidden % heads:
        raise fields.fail("num_attention_heads", f"{heads} does not divide hidden_size {hidden}")
    return {
        "num_attention_heads": heads,
        "num_key_value_heads": key_value_heads,
        "head_dim": head_dim or hidden // heads,
    }


def _tied(fields: Fields, wrapper: Mapping[str, Any]) -> bool:
    """Whether head and embedding are one weight; a multimodal wrapper has the last word."""
    outer = wrapper.get("tie_word_embeddings")
    inner = fields.flag("tie_word_embeddings")
    return outer if isinstance(outer, bool) else inner


def _experts(fields: Fields, layers: int) -> tuple[int, int, tuple[int, ...]]:
    """Routed experts, how many of them a token visits, and the sparse layers; zeros and none for a dense model."""
    family = fields.family
    if not family.expert_size:
        return 0, 0, ()
    name = next((name for name in family.experts if name in fields.config), family.experts[0])
    experts = fields.whole(name, least=0)
    listed = fields.listed("moe_layers", int)
    if listed is None:
        step = fields.whole(family.sparse_step) if family.sparse_step else 1
        dense = {*(fields.listed("mlp_only_layers", int) or ())}
        listed = [index for index in range(step - 1, layers, step) if index not in dense]
    chosen = tuple(sorted({index for index in listed if 0 <= index < layers}))
    if not experts or not chosen:
        return 0, 0, ()
    per_token = fields.whole("num_experts_per_tok")
    if per_token > experts:
        raise fields.fail("num_experts_per_tok", f"{per_token} is more than {name} {experts}")
    return experts, per_token, chosen


def _attention(fields: Fields, layers: int) -> tuple[int | None, tuple[str, ...]]:
    """The window of the layers that have one, and each layer's type."""
    family = fields.family
    local = CHUNKED if family.window == "attention_chunk_size" else SLIDING
    window = fields.optional_whole(family.window)
    if window is None or ("use_sliding_window" in family.defaults and not fields.flag("use_sliding_window")):
        return None, (FULL,) * layers
    given = fields.listed("layer_types", str, layers)
    if given is not None:
        if not {*given} <= {FULL, local}:
            raise fields.fail("layer_types", f"has other types than {FULL} and {local}")
        return window, tuple(given)
    rope = fields.listed("no_rope_layers", int)
    if rope:
        if len(rope) < layers:
            raise fields.fail("no_rope_layers", f"has {len(rope)} entries for {layers} layers")
        return window, tuple(local if uses else FULL for uses in rope[:layers])
    every = fields.whole(family.full_every) if isinstance(family.full_every, str) else family.full_every
    first = fields.optional_whole("max_window_layers", least=0) or 0
    everything = (index < first or (every and (index + 1) % every == 0) for index in range(layers))
    return window, tuple(FULL if full else local for full in everything)
