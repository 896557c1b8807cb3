"""Families whose layers have one MLP with a gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.catalog.families.family import Family, defaults

SANDWICH = (
    "input_layernorm",
    "post_attention_layernorm",
    "pre_feedforward_layernorm",
    "post_feedforward_layernorm",
)
OLMO: Mapping[str, Any] = {
    "norms": ("", "post_attention_layernorm", "", "post_feedforward_layernorm"),
    "norm": "rms_wide",
    "qk_norm": "whole",
    "rotated_wide": True,
}
COHERE: Mapping[str, Any] = {
    "norms": ("input_layernorm", "", "", ""),
    "norm": "centred",
    "parallel": "first",
    "scaled": frozenset({"logits"}),
    "rotated_cast": "before",
}
QWEN_WINDOW = {"use_sliding_window": False, "sliding_window": 4096}

DENSE: Mapping[str, Family] = {
    "qwen2": Family(
        defaults((4096, 22016, 32, 32, 32, None), 151936, 32768, **QWEN_WINDOW, max_window_layers=28, layer_types=None),
        biases=("always", "", ""),
    ),
    "qwen3": Family(
        defaults(
            (4096, 22016, 32, 32, 32, 128),
            151936,
            32768,
            **QWEN_WINDOW,
            max_window_layers=28,
            layer_types=None,
            attention_bias=False,
        ),
        qk_norm="head",
    ),
    "llama": Family(
        defaults((4096, 11008, 32, 32, None, None), 32000, 2048, attention_bias=False, mlp_bias=False),
        heads_divide_hidden=True,
    ),
    "mistral": Family(defaults((4096, 14336, 32, 32, 8, None), 32000, 131072, sliding_window=4096)),
    "gemma2": Family(
        defaults((2304, 9216, 26, 8, 4, 256), 256000, 8192, attention_bias=False, sliding_window=4096, layer_types=None)
        | {"tie_word_embeddings": True},
        heads_divide_hidden=True,
        norms=SANDWICH,
        norm="rms_shifted",
        scaled=frozenset({"embedding"}),
        full_every=2,
        capped=True,
        sdpa=False,
    ),
    "gemma3_text": Family(
        defaults(
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
        qk_norm="head",
        norms=SANDWICH,
        norm="rms_shifted",
        scaled=frozenset({"embedding"}),
        full_every="sliding_window_pattern",
        rotations_by_kind=True,
    ),
    "phi3": Family(
        defaults((3072, 8192, 32, 32, None, None), 32064, 4096, sliding_window=None),
        fused_attention="parts",
        fused_mlp=True,
    ),
    "gemma": Family(
        defaults((3072, 24576, 28, 16, 16, 256), 256000, 8192, attention_bias=False) | {"tie_word_embeddings": True},
        norm="rms_shifted",
        scaled=frozenset({"embedding"}),
    ),
    "granite": Family(
        defaults((4096, 11008, 32, 32, None, None), 32000, 2048, attention_bias=False, mlp_bias=False),
        scaled=frozenset({"inputs", "residual", "logits"}),
    ),
    "smollm3": Family(
        defaults(
            (2048, 11008, 36, 16, 4, None),
            128256,
            32768,
            attention_bias=False,
            mlp_bias=False,
            use_sliding_window=False,
            sliding_window=None,
            no_rope_layers=None,
            no_rope_layer_interval=4,
            layer_types=None,
        )
        | {"tie_word_embeddings": True},
        unrotated="listed",
        window_where_unrotated=True,
        full_every="no_rope_layer_interval",
    ),
    "olmo2": Family(
        defaults((4096, 11008, 32, 32, None, None), 50304, 2048, attention_bias=False),
        **OLMO,
    ),
    "olmo3": Family(
        defaults(
            (4096, 11008, 32, 32, None, None), 50304, 2048, attention_bias=False, sliding_window=4096, layer_types=None
        ),
        **OLMO,
        full_every=4,
        rotations_by_kind=True,
    ),
    "ministral3": Family(
        defaults((4096, 14336, 34, 32, 8, 128), 131072, 262144, sliding_window=None),
        scaled=frozenset({"queries"}),
    ),
    "glm4": Family(
        defaults((4096, 13696, 40, 32, 2, 128), 151552, 131072, attention_bias=True),
        biases=("attention_bias", "", ""),
        norms=(
            "input_layernorm",
            "post_self_attn_layernorm",
            "post_attention_layernorm",
            "post_mlp_layernorm",
        ),
        fused_mlp=True,
        rotated_anew=True,
        rotated_share=0.5,
    ),
    "seed_oss": Family(
        defaults(
            (4096, 27648, 64, 80, 8, 128),
            155136,
            524288,
            attention_bias=True,
            attention_out_bias=False,
            mlp_bias=False,
            residual_dropout=0.1,
            attention_dropout=0.1,
        ),
        biases=("attention_bias", "attention_out_bias", "mlp_bias"),
        dropouts={"residual": "residual_dropout", "attention": "attention_dropout"},
    ),
    "exaone4": Family(
        defaults(
            (4096, 16384, 32, 32, 32, None),
            102400,
            2048,
            sliding_window=4096,
            sliding_window_pattern=4,
            layer_types=None,
        ),
        norms=("", "post_attention_layernorm", "", "post_feedforward_layernorm"),
        qk_norm="head",
        full_every="sliding_window_pattern",
        unrotated="full",
    ),
    "ernie4_5": Family(
        defaults((1024, 3072, 18, 16, 2, 128), 103424, 131072, use_bias=False) | {"tie_word_embeddings": True},
        biases=("use_bias", "use_bias", "use_bias"),
        rotated_wide=True,
        rotated_cast="each",
        rotated_anew=True,
    ),
    "hunyuan_v1_dense": Family(
        defaults((4096, 11008, 32, 32, None, None), 290943, 2048, attention_bias=False),
        qk_norm="head",
        norms_behind_rotation=True,
        names={"q_norm": "query_layernorm", "k_norm": "key_layernorm"},
    ),
    "cohere": Family(
        defaults((8192, 22528, 40, 64, None, None), 256000, 8192, attention_bias=False, use_qk_norm=False)
        | {"tie_word_embeddings": True},
        **COHERE,
        qk_norm="heads",
        qk_norm_field="use_qk_norm",
    ),
    "cohere2": Family(
        defaults(
            (8192, 22528, 40, 64, None, None),
            256000,
            8192,
            attention_bias=False,
            sliding_window=4096,
            sliding_window_pattern=4,
            layer_types=None,
        )
        | {"tie_word_embeddings": True},
        **COHERE,
        full_every="sliding_window_pattern",
        unrotated="full",
    ),
    "arcee": Family(
        defaults(
            (2560, 18432, 32, 32, None, None),
            32000,
            4096,
            attention_bias=False,
            mlp_bias=False,
            hidden_act="relu2",
        ),
        heads_divide_hidden=True,
        gated=False,
    ),
    "apertus": Family(
        defaults((4096, 14336, 32, 32, None, None), 131072, 65536, attention_bias=False, hidden_act="xielu"),
        norms=("attention_layernorm", "", "feedforward_layernorm", ""),
        qk_norm="head",
        gated=False,
    ),
}
