"""Small configs of every family, whose models are built within milliseconds."""

from __future__ import annotations

from typing import Any

TINY = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 160,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
EXPERTS = {"num_local_experts": 8, "num_experts_per_tok": 2}
VARIANTS: dict[str, dict[str, Any]] = {
    "qwen2": {"model_type": "qwen2"},
    "qwen2-tied": {"model_type": "qwen2", "tie_word_embeddings": True},
    "qwen2-window": {"model_type": "qwen2", "use_sliding_window": True, "sliding_window": 32, "max_window_layers": 3},
    "qwen3": {"model_type": "qwen3"},
    "qwen3-bias-tied": {"model_type": "qwen3", "attention_bias": True, "tie_word_embeddings": True, "head_dim": 32},
    "qwen3_moe": {"model_type": "qwen3_moe", "num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 48},
    "qwen3_moe-every-second": {"model_type": "qwen3_moe", **EXPERTS, "decoder_sparse_step": 2, "head_dim": 32},
    "qwen3_moe-some-dense": {"model_type": "qwen3_moe", **EXPERTS, "mlp_only_layers": [0, 3], "attention_bias": True},
    "qwen3_moe-all-dense": {"model_type": "qwen3_moe", **EXPERTS, "mlp_only_layers": [0, 1, 2, 3]},
    "llama": {"model_type": "llama"},
    "llama-biases-tied": {
        "model_type": "llama",
        "attention_bias": True,
        "mlp_bias": True,
        "tie_word_embeddings": True,
        "head_dim": 24,
    },
    "llama-no-groups": {"model_type": "llama", "num_key_value_heads": None},
    "llama4_text": {"model_type": "llama4_text", **EXPERTS, "head_dim": 16, "intermediate_size_mlp": 128},
    "llama4_text-interleaved": {
        "model_type": "llama4_text",
        **EXPERTS,
        "interleave_moe_layer_step": 2,
        "intermediate_size_mlp": 128,
        "attention_bias": True,
        "no_rope_layer_interval": 2,
    },
    "llama4_text-listed": {"model_type": "llama4_text", **EXPERTS, "moe_layers": [2], "no_rope_layers": [1, 0, 0, 1]},
    "mistral": {"model_type": "mistral"},
    "mistral-tied": {"model_type": "mistral", "tie_word_embeddings": True, "head_dim": 32, "sliding_window": None},
    "mixtral": {"model_type": "mixtral", **EXPERTS},
    "mixtral-tied": {"model_type": "mixtral", **EXPERTS, "tie_word_embeddings": True, "sliding_window": 32},
    "gemma2": {"model_type": "gemma2"},
    "gemma2-untied-bias": {"model_type": "gemma2", "tie_word_embeddings": False, "attention_bias": True},
    "gemma3_text": {"model_type": "gemma3_text"},
    "gemma3_text-untied": {"model_type": "gemma3_text", "tie_word_embeddings": False, "sliding_window_pattern": 2},
    "phi3": {"model_type": "phi3"},
    "phi3-tied": {"model_type": "phi3", "tie_word_embeddings": True, "sliding_window": 32},
    "gpt_oss": {"model_type": "gpt_oss", **EXPERTS},
    "gpt_oss-no-bias-tied": {"model_type": "gpt_oss", **EXPERTS, "attention_bias": False, "tie_word_embeddings": True},
}
"""Small configs of every supported model type, with each switch that changes a shape on and off."""


CONTAINERS = {"model", "layers", "self_attn", "mlp", "feed_forward"}
