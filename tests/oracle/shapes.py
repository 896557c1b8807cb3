"""Architectures of the cases, as the `config.json` fields that their sizes follow from (public values)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def _dense(
    model_type: str,
    hidden: int,
    intermediate: int,
    layers: int,
    heads: int,
    key_value_heads: int,
    vocabulary: int,
    **more: Any,
) -> dict[str, Any]:
    return {
        "model_type": model_type,
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": key_value_heads,
        "vocab_size": vocabulary,
        "max_position_embeddings": 131072,
        "tie_word_embeddings": False,
        **more,
    }


def _sparse(values: dict[str, Any], experts: int, chosen: int, size: int | None = None, **more: Any) -> dict[str, Any]:
    field = {"num_local_experts": experts} if values["model_type"] != "qwen3_moe" else {"num_experts": experts}
    width = {"moe_intermediate_size": size} if size else {}
    return {**values, **field, **width, "num_experts_per_tok": chosen, **more}


_TOY = (512, 1408, 3, 8, 2, 512)
_GEMMA = {"head_dim": 256, "tie_word_embeddings": True}

CONFIGS: Mapping[str, Mapping[str, Any]] = {
    "r1-32b": _dense("qwen2", 5120, 27648, 64, 40, 8, 152064),
    "qwen2.5-0.5b": _dense("qwen2", 896, 4864, 24, 14, 2, 151936, tie_word_embeddings=True),
    "qwen2.5-7b": _dense("qwen2", 3584, 18944, 28, 28, 4, 152064),
    "qwen3-0.6b": _dense("qwen3", 1024, 3072, 28, 16, 8, 151936, head_dim=128, tie_word_embeddings=True),
    "qwen3-8b": _dense("qwen3", 4096, 12288, 36, 32, 8, 151936, head_dim=128),
    "qwen3-30b-a3b": _sparse(
        _dense("qwen3_moe", 2048, 6144, 48, 32, 4, 151936, head_dim=128, norm_topk_prob=True), 128, 8, 768
    ),
    "llama3-8b": _dense("llama", 4096, 14336, 32, 32, 8, 128256),
    "llama3-70b": _dense("llama", 8192, 28672, 80, 64, 8, 128256),
    "llama3.2-1b": _dense("llama", 2048, 8192, 16, 32, 8, 128256, head_dim=64, tie_word_embeddings=True),
    "llama4-scout": _sparse(
        _dense("llama4_text", 5120, 8192, 48, 40, 8, 202048, head_dim=128, intermediate_size_mlp=16384), 16, 1
    ),
    "mistral-7b": _dense("mistral", 4096, 14336, 32, 32, 8, 32768, sliding_window=None),
    "mixtral-8x7b": _sparse(_dense("mixtral", 4096, 14336, 32, 32, 8, 32000, sliding_window=None), 8, 2),
    "gemma2-2b": _dense("gemma2", 2304, 9216, 26, 8, 4, 256000, **_GEMMA),
    "gemma2-9b": _dense("gemma2", 3584, 14336, 42, 16, 8, 256000, **_GEMMA),
    "gemma3-1b": _dense("gemma3_text", 1152, 6912, 26, 4, 1, 262144, sliding_window=512, **_GEMMA),
    "gemma3-12b": _dense("gemma3_text", 3840, 15360, 48, 16, 8, 262208, sliding_window=1024, **_GEMMA),
    "phi3-mini": _dense("phi3", 3072, 8192, 32, 32, 32, 32064, pad_token_id=0),
    "gpt-oss-20b": _sparse(_dense("gpt_oss", 2880, 2880, 24, 64, 8, 201088, head_dim=64, sliding_window=128), 32, 4),
    "toy-qwen2": _dense("qwen2", *_TOY),
    "toy-qwen3": _dense("qwen3", *_TOY, head_dim=64),
    "toy-qwen3-moe": _sparse(_dense("qwen3_moe", *_TOY, head_dim=64, norm_topk_prob=True), 16, 4, 256),
    "toy-llama": _dense("llama", *_TOY),
    "toy-llama4": _sparse(_dense("llama4_text", *_TOY, head_dim=64, intermediate_size_mlp=2048), 4, 1),
    "toy-mistral": _dense("mistral", *_TOY, sliding_window=None),
    "toy-mixtral": _sparse(_dense("mixtral", *_TOY, sliding_window=None), 4, 2),
    "toy-gemma2": _dense("gemma2", *_TOY, head_dim=64, tie_word_embeddings=True),
    "toy-gemma3": _dense("gemma3_text", *_TOY, head_dim=64, tie_word_embeddings=True),
    "toy-phi3": _dense("phi3", *_TOY, pad_token_id=0),
    "toy-gpt-oss": _sparse(_dense("gpt_oss", *_TOY, head_dim=64, sliding_window=128), 8, 2),
}
"""By a short name; the fields that are left out take transformers' defaults."""
