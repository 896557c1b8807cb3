"""Families some of whose layers have a gated short convolution (LFM2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.catalog.families.family import Family, defaults

_WIDTH: Mapping[str, Any] = {
    "block_ff_dim": 12288,
    "block_auto_adjust_ff_dim": True,
    "block_ffn_dim_multiplier": 1.0,
    "block_multiple_of": 256,
}
_LAYERS: Mapping[str, Any] = {
    "conv_bias": False,
    "conv_L_cache": 3,
    "full_attn_idxs": None,
    "layer_types": None,
    "tie_embedding": True,
}

CONVOLVED: Mapping[str, Family] = {
    "lfm2": Family(
        defaults((2560, 12288, 32, 32, 8, None), 65536, 128000, **_WIDTH, **_LAYERS) | {"tie_word_embeddings": True},
        fields={"intermediate_size": "block_ff_dim", "tie_word_embeddings": "tie_embedding"},
        biases=("", "", ""),
        norms=("operator_norm", "", "ffn_norm", ""),
        names={
            "norm": "embedding_norm",
            "q_norm": "q_layernorm",
            "k_norm": "k_layernorm",
            "o_proj": "out_proj",
            "gate_proj": "w1",
            "up_proj": "w3",
            "down_proj": "w2",
        },
        containers=frozenset({"model", "layers", "self_attn", "conv", "feed_forward"}),
        qk_norm="head",
        window="",
        short_convolution=True,
        width_adjusted=True,
    ),
}
