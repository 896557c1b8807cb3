"""Families with multi-head latent attention: DeepSeek's, and those that have its layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.catalog.families.family import Family, without_head_dim
from hbspec.catalog.families.mixtures import QWEN_TARGETS

_FIELDS: Mapping[str, Any] = {
    "attention_bias": False,
    "attention_dropout": 0.0,
    "kv_lora_rank": 512,
    "q_lora_rank": 1536,
    "qk_rope_head_dim": 64,
    "qk_nope_head_dim": 128,
    "v_head_dim": 128,
}
_TRAITS: Mapping[str, Any] = {
    "latent": True,
    "equal": {"num_key_value_heads": "num_attention_heads"},
    "names": {f"shared_expert.{name}": f"shared_experts.{name}" for name in ("gate_proj", "up_proj", "down_proj")},
    "containers": frozenset({"model", "layers", "self_attn", "mlp", "experts", "shared_experts"}),
    "expert_size": "moe_intermediate_size",
    "shared_expert": "moe_intermediate_size",
    "shared_experts": "n_shared_experts",
    "router": "gate",
    "router_wide": True,
    "router_in_compute_dtype": False,
    "fused_targets": QWEN_TARGETS,
}

LATENT: Mapping[str, Family] = {
    "deepseek_v3": Family(
        without_head_dim(
            (7168, 18432, 61, 128, 128),
            129280,
            4096,
            **_FIELDS,
            rope_interleave=True,
            moe_intermediate_size=2048,
            n_routed_experts=256,
            num_local_experts=256,
            n_shared_experts=1,
            num_experts_per_tok=8,
            first_k_dense_replace=3,
        ),
        **_TRAITS,
        biases=("attention_bias", "attention_bias", ""),
        required=("rope_interleave",),
        refused=("attention_dropout",),
        experts=("n_routed_experts", "num_local_experts"),
        scores="sigmoid",
        rotated_in_pairs=True,
    ),
    "deepseek_v2": Family(
        without_head_dim(
            (4096, 11008, 32, 32, None),
            102400,
            2048,
            **_FIELDS,
            mlp_bias=False,
            moe_intermediate_size=1407,
            n_routed_experts=64,
            num_experts=64,
            n_shared_experts=2,
            num_experts_per_tok=None,
            first_k_dense_replace=0,
        ),
        **_TRAITS,
        biases=("attention_bias", "attention_bias", "mlp_bias"),
        refused=("attention_dropout",),
        experts=("n_routed_experts", "num_experts"),
    ),
}
