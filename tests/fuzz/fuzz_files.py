"""The files that a mutated spec may name, spoilt now and then."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

from fuzz_trees import at, places

PROFILE = {
    "format_version": 1,
    "examples": 1758,
    "exact_duplicates": 5,
    "broken_lines": 0,
    "tokens": {
        "mean": 385.3,
        "max": 684.4,
        "bounds": {"mean": [329.1, 457.5], "max": [586.2, 806.4]},
        "method": "estimated",
    },
    "digest": "blake2b-sum:e621e53b",
}
CONFIGS: tuple[dict[str, Any], ...] = (
    {
        "model_type": "qwen2",
        "hidden_size": 5120,
        "intermediate_size": 27648,
        "num_hidden_layers": 64,
        "num_attention_heads": 40,
        "num_key_value_heads": 8,
        "vocab_size": 152064,
        "tie_word_embeddings": False,
        "max_position_embeddings": 131072,
    },
    {
        "model_type": "llama",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128256,
        "head_dim": 128,
        "tie_word_embeddings": True,
        "max_position_embeddings": 8192,
    },
    {
        "model_type": "mixtral",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 32000,
        "num_local_experts": 8,
        "num_experts_per_tok": 2,
        "max_position_embeddings": 32768,
    },
    {
        "model_type": "gemma2",
        "hidden_size": 3584,
        "intermediate_size": 14336,
        "num_hidden_layers": 42,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "head_dim": 256,
        "vocab_size": 256000,
        "sliding_window": 4096,
        "max_position_embeddings": 8192,
    },
    {
        "model_type": "llama4",
        "text_config": {
            "model_type": "llama4_text",
            "hidden_size": 5120,
            "intermediate_size": 8192,
            "intermediate_size_mlp": 16384,
            "num_hidden_layers": 48,
            "num_attention_heads": 40,
            "num_key_value_heads": 8,
            "head_dim": 128,
            "vocab_size": 202048,
            "num_local_experts": 16,
            "num_experts_per_tok": 1,
            "max_position_embeddings": 10485760,
        },
    },
)
ODD: tuple[Any, ...] = (None, 0, 1, 2, 3, -1, 10**6, 10**9, 10**30, 0.5, 1e300, "x", "", True, [], {}, [1], {"a": 1})


def spoilt_files(draw: random.Random) -> dict[str, str]:
    """The two files that specs name here, each spoilt now and then."""
    found = {}
    for name, content in (("config.json", draw.choice(CONFIGS)), ("train.profile.json", PROFILE)):
        spoilt: Any = copy.deepcopy(content)
        for _ in range(draw.choice((0, 0, 1, 2))):
            place = draw.choice(list(places(spoilt)))
            parent = at(spoilt, place[:-1])
            if draw.random() < 0.2 and isinstance(parent, dict):
                del parent[place[-1]]
                if not spoilt:
                    break
            else:
                parent[place[-1]] = copy.deepcopy(draw.choice(ODD))
        found[name] = json.dumps(spoilt)
    return found
