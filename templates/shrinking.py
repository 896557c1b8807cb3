"""A config.json with everything that sizes the model made tiny: the model of a rehearsal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from settings import RefusedError

LAYERS = 2
EXPERTS = 4
BLOCK, ROWS = 64, 32
"""What divides the columns and the rows of every matrix that bitsandbytes quantises. Its blocks are 64 weights, and its
product for CPUs with AVX512-BF16 takes whole blocks of a row, and 32 rows at a time."""
HEAD_DIMS = (16, 32, 64)
"""Sizes of a head; the smallest that makes queries whole blocks, and keys whole rows."""
NOT_SHRUNK = ("dbrx", "gpt2", "kimi_k2", "opt")
"""Types that learn a vector for every position, which keeps a model large, or name their sizes otherwise, as GPT-2 and
DBRX do, or that transformers builds only with code of the model's repository."""

EXPERT_FIELDS = "num_experts", "num_local_experts", "n_routed_experts"
VISITED_FIELDS = "num_experts_per_tok", "top_k_experts"
"""What config.json calls the experts of a layer, and those that a token visits."""

LINEAR_HEADS, LINEAR_HEAD_DIM = ROWS, 4
"""Key heads of linear attention, and the size of one; a matrix has a row for each value head."""


def shrink(config: Mapping[str, Any], vocabulary: int) -> dict[str, Any]:
    """A config.json's content with everything that sizes the model made tiny; what shapes it stays.

    The ratio of query to key-value heads is kept (two key-value heads, or one), so are biases, norms, tying, activation
    and positions. An MLP is 128 wide for each time that the real one is as wide as its model. Left out: a quantisation
    of the published weights, a vision or audio part.

    >>> tiny = shrink({"model_type": "qwen2", "hidden_size": 5120, "num_attention_heads": 40,
    ...                "num_key_value_heads": 8, "intermediate_size": 27648, "num_hidden_layers": 64}, 512)
    >>> tiny["num_attention_heads"], tiny["num_key_value_heads"], tiny["hidden_size"], tiny["intermediate_size"]
    (10, 2, 320, 640)
    """
    full = {**config, **config["text_config"]} if isinstance(config.get("text_config"), dict) else dict(config)
    if full.get("model_type") in NOT_SHRUNK:
        raise RefusedError([f"--tiny: models of type {full['model_type']} are not made tiny"])
    left_out = ("quantization_config", "text_config", "vision_config")
    tiny = {key: value for key, value in full.items() if key not in left_out}
    heads = int(full["num_attention_heads"])
    kv_heads = int(full.get("num_key_value_heads") or heads)
    few = min(2, kv_heads)
    queries = tiny["num_attention_heads"] = heads // kv_heads * few
    if "num_key_value_heads" in full:
        tiny["num_key_value_heads"] = few
    head_dim = next(size for size in HEAD_DIMS if queries * size % BLOCK == 0 and few * size % ROWS == 0)
    if full.get("head_dim"):
        tiny["head_dim"] = head_dim
    tiny["hidden_size"] = head_dim * queries
    for key in [key for key in full if "intermediate_size" in key or key == "block_ff_dim"]:
        if full[key]:
            tiny[key] = 2 * BLOCK * max(1, round(full[key] / full["hidden_size"]))
    tiny |= _experts(full) | _linear_attention(full) | _latent_attention(full) | _global_heads(full, head_dim, few)
    tiny |= _state_space(full, tiny["hidden_size"])
    layers = tiny["num_hidden_layers"] = min(LAYERS, full["num_hidden_layers"])
    if full.get("layer_types"):
        kinds = list(dict.fromkeys(full["layer_types"]))  # one layer of each kind, in the order they appear
        tiny["layer_types"] = (kinds * layers)[:layers]
    if full.get("full_attn_idxs"):
        tiny["full_attn_idxs"] = [layers - 1]
    for key in ("max_window_layers", "no_rope_layers", "moe_layers"):
        tiny.pop(key, None)  # counted in layers that are gone; the defaults fit
    rotated = int(head_dim * full.get("partial_rotary_factor", 1)) // 2
    for key in ("rope_scaling", "rope_parameters"):
        if isinstance(full.get(key), dict):
            tiny[key] = {
                name: value[:rotated] if isinstance(value, list) else value for name, value in full[key].items()
            }
    tiny["vocab_size"] = vocabulary
    for key in ("bos_token_id", "eos_token_id", "pad_token_id"):
        tiny.pop(key, None)
    return tiny


def _experts(full: Mapping[str, Any]) -> dict[str, Any]:
    """How many experts there are, and how many of them a token visits.

    Gemma 4's router is a linear module, with a row for each expert.
    """
    most = ROWS if full.get("top_k_experts") else EXPERTS
    some = {key: min(most, full[key]) for key in EXPERT_FIELDS if full.get(key)}
    return some | {key: min(EXPERTS // 2, full[key]) for key in VISITED_FIELDS if full.get(key)}


def _linear_attention(full: Mapping[str, Any]) -> dict[str, Any]:
    """The sizes of linear attention, with the ratio of value to key heads, and where a layer attends to everything."""
    values, keys = full.get("linear_num_value_heads"), full.get("linear_num_key_heads")
    if not values or not keys:
        return {}
    return {
        "linear_num_value_heads": LINEAR_HEADS * (values // keys),
        "linear_num_key_heads": LINEAR_HEADS,
        "linear_value_head_dim": LINEAR_HEAD_DIM,
        "linear_key_head_dim": LINEAR_HEAD_DIM,
        "full_attention_interval": LAYERS,
    }


def _latent_attention(full: Mapping[str, Any]) -> dict[str, Any]:
    """The widths of what queries, keys and values are projected from; the first layer is dense if several are."""
    if not full.get("kv_lora_rank"):
        return {}
    ranks = {key: BLOCK for key in ("kv_lora_rank", "q_lora_rank") if full.get(key)}
    groups = {key: 1 for key in ("n_group", "topk_group") if full.get(key)}
    return {**ranks, **groups, "first_k_dense_replace": min(1, full.get("first_k_dense_replace") or 0)}


def _state_space(full: Mapping[str, Any], hidden: int) -> dict[str, Any]:
    """The heads of a Mamba-2 layer, which is twice as wide as the model, and the sizes of its states and its chunks."""
    if not full.get("mamba_n_heads"):
        return {}
    heads = {"mamba_n_heads": ROWS, "mamba_d_head": 2 * hidden // ROWS, "mamba_expand": 2, "mamba_n_groups": 1}
    width = {"mamba_d_ssm": 2 * hidden} if full.get("mamba_d_ssm") else {}
    return {**heads, **width, "mamba_d_state": ROWS // 2, "mamba_chunk_size": ROWS}


def _global_heads(full: Mapping[str, Any], head_dim: int, few: int) -> dict[str, Any]:
    """Heads of the layers that attend to everything, twice as wide, where they differ from the others'."""
    if not full.get("global_head_dim"):
        return {}
    keys = full.get("num_global_key_value_heads")
    return {"global_head_dim": 2 * head_dim, "num_global_key_value_heads": min(few, keys) if keys else None}
