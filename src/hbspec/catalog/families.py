"""The differences between the supported model families, and the defaults that transformers applies to each.

Source: transformers 5.23.0, `models/*/configuration_*.py` (defaults) and `modeling_*.py` (structure). The tests compare
every default with the config classes, and every structure with the models built from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

WRAPPERS: Mapping[str, str] = {"gemma3": "gemma3_text", "llama4": "llama4_text"}
"""Multimodal model types and the language model in their `text_config`."""


class Family(NamedTuple):
    """One `model_type`. A named tuple, since creating a dataclass of this size costs every check a millisecond.

    Attributes:
        defaults: every relevant field of config.json that the config class defines, with its default. Any other field
            is ignored, as transformers ignores it.
        qkv_bias: biases on queries, keys and values regardless of `attention_bias`.
        heads_divide_hidden: the class refuses heads that do not divide the hidden size even if `head_dim` is set.
        dense_size, expert_size: the fields with the widths of a dense MLP and of one routed expert; "" without experts.
        experts: the fields that may hold the number of experts.
        sparse_step: the field with the step between sparse layers; "" where every layer is sparse.
        window: the field with the window of local attention.
        full_every: one layer in so many attends to everything, or the field that says so; 0 means none.
        router: what the module that chooses the experts is called.
        router_in_linear: the router is a subclass of `nn.Linear`, so that `all-linear` means it.
        router_in_compute_dtype: the router's scores are cast back from float32 before they weigh the experts.
        experts_repeated: all experts compute every token, and they were never a list of modules.
        fused_targets: names that peft turns into targets on fused parameters, and the parameter that each becomes.
        capped: scores and logits are capped (`attn_logit_softcapping`, `final_logit_softcapping`).
        norms_rotated: layers with rotation norm what they rotate, without weights.
        rotations_by_kind: layers of another kind of attention have other base frequencies.
        sdpa: whether the class has `_supports_sdpa`.
    """

    defaults: Mapping[str, Any]
    qkv_bias: bool = False
    heads_divide_hidden: bool = False
    qk_norm: bool = False
    sandwich_norm: bool = False
    fused_projections: bool = False
    attention_sinks: bool = False
    dense_size: str = "intermediate_size"
    expert_size: str = ""
    experts: tuple[str, ...] = ()
    sparse_step: str = ""
    shared_expert: bool = False
    expert_bias: bool = False
    window: str = "sliding_window"
    full_every: int | str = 0
    router: str = ""
    router_in_linear: bool = False
    router_in_compute_dtype: bool = True
    experts_repeated: bool = False
    fused_targets: Mapping[str, str] = MappingProxyType({})
    capped: bool = False
    norms_rotated: bool = False
    rotations_by_kind: bool = False
    sdpa: bool = True


def _defaults(
    sizes: tuple[int, int, int, int, int | None, int | None], vocabulary: int, positions: int, **more: Any
) -> dict[str, Any]:
    hidden, intermediate, layers, heads, key_value_heads, head_dim = sizes
    return {
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": key_value_heads,
        "head_dim": head_dim,
        "vocab_size": vocabulary,
        "max_position_embeddings": positions,
        "tie_word_embeddings": False,
        **more,
    }


_QWEN_WINDOW = {"use_sliding_window": False, "sliding_window": 4096}
_BOTH_NAMES = ("num_experts", "num_local_experts")

FAMILIES: Mapping[str, Family] = {
    "qwen2": Family(
        _defaults(
            (4096, 22016, 32, 32, 32, None), 151936, 32768, **_QWEN_WINDOW, max_window_layers=28, layer_types=None
        ),
        qkv_bias=True,
    ),
    "qwen3": Family(
        _defaults(
            (4096, 22016, 32, 32, 32, 128),
            151936,
            32768,
            **_QWEN_WINDOW,
            max_window_layers=28,
            layer_types=None,
            attention_bias=False,
        ),
        qk_norm=True,
    ),
    "qwen3_moe": Family(
        _defaults(
            (2048, 6144, 24, 32, 4, None),
            151936,
            32768,
            **_QWEN_WINDOW,
            attention_bias=False,
            decoder_sparse_step=1,
            mlp_only_layers=None,
            moe_intermediate_size=768,
            num_experts=128,
            num_local_experts=128,
            num_experts_per_tok=8,
        ),
        qk_norm=True,
        expert_size="moe_intermediate_size",
        experts=_BOTH_NAMES,
        sparse_step="decoder_sparse_step",
        router="gate",
        fused_targets={
            "gate": "gate",
            "gate_proj": "experts.gate_up_proj",
            "up_proj": "experts.gate_up_proj",
            "down_proj": "experts.down_proj",
        },
    ),
    "llama": Family(
        _defaults((4096, 11008, 32, 32, None, None), 32000, 2048, attention_bias=False, mlp_bias=False),
        heads_divide_hidden=True,
    ),
    "llama4_text": Family(
        _defaults(
            (5120, 8192, 48, 40, 8, 128),
            202048,
            131072,
            attention_bias=False,
            intermediate_size_mlp=16384,
            num_local_experts=16,
            num_experts_per_tok=1,
            interleave_moe_layer_step=1,
            moe_layers=None,
            attention_chunk_size=8192,
            no_rope_layers=None,
            no_rope_layer_interval=4,
            layer_types=None,
        ),
        dense_size="intermediate_size_mlp",
        expert_size="intermediate_size",
        experts=("num_local_experts",),
        sparse_step="interleave_moe_layer_step",
        shared_expert=True,
        window="attention_chunk_size",
        full_every="no_rope_layer_interval",
        router="router",
        router_in_linear=True,
        experts_repeated=True,
        norms_rotated=True,
    ),
    "mistral": Family(_defaults((4096, 14336, 32, 32, 8, None), 32000, 131072, sliding_window=4096)),
    "mixtral": Family(
        _defaults(
            (4096, 14336, 32, 32, 8, None),
            32000,
            131072,
            sliding_window=None,
            num_experts=8,
            num_local_experts=8,
            num_experts_per_tok=2,
        ),
        expert_size="intermediate_size",
        experts=_BOTH_NAMES,
        router="gate",
        router_in_compute_dtype=False,
        fused_targets={
            "gate": "gate",
            "w1": "experts.gate_up_proj",
            "w3": "experts.gate_up_proj",
            "w2": "experts.down_proj",
        },
    ),
    "gemma2": Family(
        _defaults(
            (2304, 9216, 26, 8, 4, 256), 256000, 8192, attention_bias=False, sliding_window=4096, layer_types=None
        )
        | {"tie_word_embeddings": True},
        heads_divide_hidden=True,
        sandwich_norm=True,
        full_every=2,
        capped=True,
        sdpa=False,
    ),
    "gemma3_text": Family(
        _defaults(
            (2304, 9216, 26, 8, 4, 256),
            262208,
            131072,
            attention_bias=False,
            sliding_window=4096,
            sliding_window_pattern=6,
            layer_types=None,
        )
        | {"tie_word_embeddings": True},
        heads_divide_hidden=True,
        qk_norm=True,
        sandwich_norm=True,
        full_every="sliding_window_pattern",
        rotations_by_kind=True,
    ),
    "phi3": Family(
        _defaults((3072, 8192, 32, 32, None, None), 32064, 4096, sliding_window=None),
        fused_projections=True,
    ),
    "gpt_oss": Family(
        _defaults(
            (2880, 2880, 36, 64, 8, 64),
            201088,
            131072,
            attention_bias=True,
            sliding_window=128,
            layer_types=None,
            num_experts=128,
            num_local_experts=128,
            num_experts_per_tok=4,
        ),
        attention_sinks=True,
        expert_size="intermediate_size",
        experts=_BOTH_NAMES,
        expert_bias=True,
        full_every=2,
        router="router",
        sdpa=False,
    ),
}
