"""Families most of whose layers have linear attention instead of attention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.catalog.families.family import APART, JOINED, Family, defaults
from hbspec.catalog.families.mixtures import QWEN_TARGETS

_LINEAR: Mapping[str, Any] = {
    "linear_conv_kernel_dim": 4,
    "linear_key_head_dim": 128,
    "linear_value_head_dim": 128,
    "linear_num_key_heads": 16,
    "linear_num_value_heads": 32,
    "layer_types": None,
    "attention_bias": False,
}
_GATED: Mapping[str, Any] = {
    "norm": "rms_shifted",
    "qk_norm": "head",
    "gated_attention": True,
    "rotated_share": 0.25,
    "window": "",
}
_EXPERTS: Mapping[str, Any] = {
    "moe_intermediate_size": 512,
    "shared_expert_intermediate_size": 512,
}
_SPARSE: Mapping[str, Any] = {
    "expert_size": "moe_intermediate_size",
    "experts": ("num_experts",),
    "shared_expert": "shared_expert_intermediate_size",
    "shared_expert_gate": True,
    "router": "gate",
}


def _without_dense_size() -> dict[str, Any]:
    found = defaults((2048, 0, 40, 16, 2, 256), 248320, 32768, **_LINEAR, **_EXPERTS, num_experts=256)
    del found["intermediate_size"]
    return {**found, "num_experts_per_tok": 8}


_CONTAINERS = Family(defaults={}).containers | {"linear_attn"}

HYBRIDS: Mapping[str, Family] = {
    "qwen3_5_text": Family(
        defaults((4096, 12288, 32, 16, 4, 256), 248320, 32768, **_LINEAR),
        **_GATED,
        containers=_CONTAINERS,
        linear_attention=APART,
        rotated_each_row=True,
    ),
    "qwen3_5_moe_text": Family(
        _without_dense_size(),
        **_GATED,
        **_SPARSE,
        containers=_CONTAINERS,
        dense_size="moe_intermediate_size",
        linear_attention=APART,
        rotated_each_row=True,
    ),
    "qwen3_next": Family(
        defaults(
            (2048, 5632, 48, 16, 2, 256),
            151936,
            32768,
            **_LINEAR,
            **_EXPERTS,
            num_experts=512,
            num_experts_per_tok=10,
            decoder_sparse_step=1,
            mlp_only_layers=None,
        ),
        **_GATED,
        **_SPARSE,
        containers=_CONTAINERS,
        sparse_step="decoder_sparse_step",
        linear_attention=JOINED,
        fused_targets=QWEN_TARGETS,
    ),
}
