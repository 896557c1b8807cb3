"""Families some of whose layers have a state space (Mamba-2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.catalog.families.family import Family, defaults

_MAMBA: Mapping[str, Any] = {
    "mamba_n_heads": 128,
    "mamba_n_groups": 1,
    "mamba_d_state": 256,
    "mamba_d_head": "auto",
    "mamba_d_conv": 4,
    "mamba_expand": 2,
    "mamba_chunk_size": 256,
    "mamba_conv_bias": True,
    "mamba_proj_bias": False,
}
_NAMES: Mapping[str, str] = {
    "prefix": "mamba.",
    "heads": "mamba_n_heads",
    "width": "mamba_d_head",
    "expansion": "mamba_expand",
    "groups": "mamba_n_groups",
    "state": "mamba_d_state",
    "kernel": "mamba_d_conv",
    "chunk": "mamba_chunk_size",
    "convolution_bias": "mamba_conv_bias",
    "bias": "mamba_proj_bias",
    "out_bias": "mamba_proj_bias",
}
_FALCON: Mapping[str, Any] = {
    "mamba_d_ssm": 1024,
    "mamba_rms_norm": False,
    "mamba_norm_before_gate": True,
    "projectors_bias": False,
    "attention_bias": False,
    "mlp_bias": False,
}
_GRANITE_MLP = {
    f"{prefix}{place}": name
    for prefix in ("", "shared_expert.")
    for place, name in (("gate_up_proj", "input_linear"), ("down_proj", "output_linear"))
}

STATE_SPACES: Mapping[str, Family] = {
    "granitemoehybrid": Family(
        defaults(
            (4096, 11008, 32, 32, None, None),
            32000,
            2048,
            **_MAMBA,
            attention_bias=False,
            layer_types=None,
            num_local_experts=8,
            num_experts_per_tok=2,
            shared_intermediate_size=1024,
            position_embedding_type=None,
        ),
        names=_GRANITE_MLP,
        containers=frozenset({"model", "layers", "self_attn", "mamba", "shared_mlp", "block_sparse_moe", "experts"}),
        biases=("attention_bias", "attention_bias", ""),
        unrotated="unless said",
        packed_apart=False,
        window="",
        scaled=frozenset({"inputs", "residual", "logits"}),
        fused_mlp=True,
        mlp_chunked=True,
        state_space=_NAMES,
        dense_size="shared_intermediate_size",
        expert_size="intermediate_size",
        experts=("num_local_experts",),
        shared_expert="shared_intermediate_size",
        router="router",
        scores="softmax_of_chosen",
    ),
    "falcon_h1": Family(
        defaults((4096, 14336, 32, 32, 8, None), 128000, 8192, **_MAMBA, **_FALCON),
        norms=("input_layernorm", "", "pre_ff_layernorm", ""),
        names={"norm": "final_layernorm"},
        containers=frozenset({"model", "layers", "self_attn", "mamba", "feed_forward"}),
        window="",
        scaled=frozenset({"inputs", "keys", "logits"}),
        hybrid=True,
        unadapted=frozenset({"out_proj"}),
        state_space={
            **_NAMES,
            "inner": "mamba_d_ssm",
            "out_bias": "projectors_bias",
            "normed": "mamba_rms_norm",
            "norm_first": "mamba_norm_before_gate",
            "scaled": "ssm_multipliers",
        },
    ),
}
