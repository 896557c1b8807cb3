"""Gemma 4's language models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.catalog.families.dense import SANDWICH
from hbspec.catalog.families.family import Family, defaults

_FIELDS: Mapping[str, Any] = {
    "attention_bias": False,
    "sliding_window": 512,
    "layer_types": None,
    "global_head_dim": 512,
    "num_global_key_value_heads": None,
    "attention_k_eq_v": False,
    "final_logit_softcapping": None,
    "num_kv_shared_layers": 0,
    "attention_dropout": 0.0,
    "use_bidirectional_attention": None,
}
_TRAITS: Mapping[str, Any] = {
    "qk_norm": "head",
    "norms": SANDWICH,
    "norm": "rms_power",
    "scaled": frozenset({"embedding", "layer"}),
    "full_every": 6,
    "rotations_by_kind": True,
    "logits_capped": "final_logit_softcapping",
    "global_heads": True,
    "normed_values": True,
    "full_at_the_end": True,
}
_DENSE = Family(
    defaults(
        (2304, 9216, 30, 8, 4, 256),
        262144,
        131072,
        **_FIELDS,
        hidden_size_per_layer_input=256,
        enable_moe_block=False,
        num_experts=None,
        top_k_experts=None,
        moe_intermediate_size=None,
    )
    | {"tie_word_embeddings": True},
    **_TRAITS,
    fields={"num_experts_per_tok": "top_k_experts"},
    refused=("hidden_size_per_layer_input", "num_kv_shared_layers", "attention_dropout"),
)
"""The small ones have embeddings for each layer, and layers that share keys and values, which are not counted."""

_UNIFIED = Family(
    defaults(
        (2304, 9216, 30, 8, 4, 256),
        262144,
        262144,
        **{**_FIELDS, "sliding_window": 1024, "use_bidirectional_attention": "vision"},
    )
    | {"tie_word_embeddings": True},
    **_TRAITS,
    required=("use_bidirectional_attention",),
    refused=("num_kv_shared_layers", "attention_dropout"),
)
_BOTH_WAYS = {"use_bidirectional_attention": ("all",)}


def _refusing(family: Family) -> Family:
    """The same that attends to what comes later, too, which is not counted."""
    return family._replace(refused=(*family.refused, *_BOTH_WAYS))


GEMMA4: Mapping[str, Family] = {
    "gemma4_text": _DENSE._replace(
        variants={
            "both ways": (_BOTH_WAYS, _refusing(_DENSE)),
            "sparse": (
                {"enable_moe_block": (True,)},
                _DENSE._replace(
                    expert_size="moe_intermediate_size",
                    experts=("num_experts",),
                    expert_norms=(
                        "post_feedforward_layernorm_1",
                        "pre_feedforward_layernorm_2",
                        "post_feedforward_layernorm_2",
                    ),
                    containers=_DENSE.containers | {"router"},
                    router="router",
                    router_in_compute_dtype=False,
                ),
            ),
        }
    ),
    "gemma4_unified_text": _UNIFIED._replace(variants={"both ways": (_BOTH_WAYS, _refusing(_UNIFIED))}),
}
