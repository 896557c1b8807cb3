"""The sizes in the `config.json` of a model of any type, in all the spellings that transformers' config classes use.

Each table names what 5.23.0's `configuration_*.py` call one kind of size. A config may have several of a kind, as one
width of heads in windows and another in full attention: then the least and the most of them bound what a layer has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from hbspec.catalog.config_fields import LARGEST, MOST_LAYERS, ArchitectureError, shown

HIDDEN = ("hidden_size", "d_model", "n_embd", "embed_dim", "emb_dim", "embedding_dim", "model_dim", "dim")
FACTORS = ("embedding_size", "input_embedding_size", "output_embedding_size", "word_embed_proj_dim")
LAYERS = ("decoder_layers", "num_decoder_layers", "num_hidden_layers", "n_layer", "n_layers", "num_layers")
VOCABULARY = ("vocab_size", "n_vocab", "padded_vocab_size", "decoder_vocab_size")
POSITIONS = ("max_position_embeddings", "n_positions", "n_ctx", "max_target_positions", "max_seq_len")
HEADS = (
    "num_attention_heads", "n_head", "n_heads", "num_heads", "attention_heads", "decoder_attention_heads",
    "num_decoder_attention_heads", "swa_num_attention_heads", "num_attention_heads_per_layer",
)  # fmt: skip
KEY_HEADS = (
    "num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num", "num_query_groups",
    "swa_num_key_value_heads", "num_global_key_value_heads",
)  # fmt: skip
HEAD_WIDTHS = (
    "head_dim", "attention_head_size", "kv_channels", "d_head", "dim_head", "d_kv", "attention_head_dim", "qk_head_dim",
    "v_head_dim", "global_head_dim", "swa_head_dim", "swa_v_head_dim",
)  # fmt: skip
INNER = (
    "intermediate_size", "n_inner", "ffn_dim", "decoder_ffn_dim", "d_ff", "ffn_hidden_size", "dim_ff", "dff", "d_inner",
    "intermediate_size_mlp", "dense_intermediate_size", "ff_intermediate_size", "block_ff_dim",
)  # fmt: skip
EXPERTS = ("num_experts", "n_routed_experts", "num_local_experts", "moe_num_experts", "num_moe_experts", "n_experts")
EXPERT_INNER = ("moe_intermediate_size", "expert_ffn_hidden_size", "expert_intermediate_size")
CHOSEN = (
    "num_experts_per_tok", "num_experts_per_token", "moe_topk", "moe_top_k", "moe_k", "top_k_experts", "router_top_k",
)  # fmt: skip
SHARED = ("n_shared_experts", "num_shared_experts", "moe_num_shared_experts")
SHARED_INNER = (
    "shared_expert_intermediate_size", "shared_experts_intermediate_size", "shared_intermediate_size",
    "moe_shared_expert_intermediate_size",
)  # fmt: skip
DENSE_FIRST = ("first_k_dense_replace", "num_dense_layers", "moe_layer_start_index")
EVERY = (
    "decoder_sparse_step", "moe_layer_freq", "interleave_moe_layer_step", "expert_layer_period", "moe_layer_interval",
    "moe_every_n_layers",
)  # fmt: skip
STATES = ("state_size", "d_state", "mamba_d_state", "mamba_state_dim", "ssm_state_size")
PATTERNS = ("layers_block_type", "layer_types", "block_types", "hybrid_override_pattern", "hybrid_layer_ids")
LATENT = ("moe_latent_size", "routed_expert_hidden_size")
"""Widths to which the residual stream is narrowed before the routed experts."""
PARTS = ("attn_config", "ffn_config")
"""Nested fields of the language model itself (DBRX, MPT)."""
READ = (
    "kv_lora_rank", "q_lora_rank", "o_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "index_head_dim", "lru_width",
    "linear_key_head_dim", "linear_value_head_dim", "linear_head_dim", "attention_hidden_size", "time_step_rank",
    "mamba_dt_rank", "dt_rank", "mamba_head_dim", "mamba_d_head", "mamba_headdim", "hidden_size_per_layer_input",
    "vocab_size_per_layer_input",
)  # fmt: skip
"""Sizes that only one kind of layer has."""
HARMLESS = (
    "chunk_size", "mamba_chunk_size", "attention_chunk_size", "window_size", "sliding_window_size", "block_size",
    "attention_window_size", "keep_window_size", "index_block_size", "rotary_dim", "dim_model_base", "encoder_ffn_dim",
    "conv_dim", "block_dim", "pad_vocab_size_multiple", "unpadded_vocab_size", "router_hidden_size", "adapter_rank",
    "prompt_mid_dim", "classifier_proj_size", "max_inference_chunksize", "make_vocab_size_divisible_by", "laurel_rank",
    "image_size", "patch_size", "codebook_size", "type_vocab_size",
)  # fmt: skip
"""Sizes of no matrices, or of small ones."""
SIZES = ("_size", "_dim", "_rank", "_lowrank", "_width", "_inner", "_size_base")
"""How names of sizes end."""
SMALL = 64
"""Sizes up to this make no matrices that count."""
NESTED = ("text_config", "llm_config", "language_config")
"""Where a wrapper holds its language model."""


class Spelled(NamedTuple):
    """A config, and what is asked of it."""

    config: Mapping[str, Any]

    def all(self, names: Iterable[str], most: int = LARGEST) -> list[int]:
        """Every positive whole number of a kind, those of lists too.

        Raises:
            ArchitectureError: one of them is not a number, or is out of bounds; 0 and null mean none.
        """
        found: list[int] = []
        for name in names:
            value = self.config.get(name)
            for one in value if isinstance(value, list) else [value]:
                if one is None or one is False:
                    continue
                if type(one) is not int or not 0 <= one <= most:
                    raise ArchitectureError(name, f"{shown(one)} is not a whole number up to {most}")
                found += [one] if one else []
        return found

    def first(self, names: Iterable[str], most: int = LARGEST) -> int | None:
        """The first of a kind; None where there is none."""
        return next(iter(self.all(names, most)), None)

    def one(self, name: str, usual: int = 0) -> int:
        """One number, or what is usual."""
        return self.first([name]) or usual

    def has(self, *names: str) -> bool:
        """Whether any of them is said."""
        return any(self.config.get(name) not in (None, False) for name in names)

    @property
    def not_understood(self) -> str | None:
        """A size that none of the tables has, so that what has it is not counted; None without such."""
        sizes = (name for name in self.config if name.endswith(SIZES) and name not in _UNDERSTOOD)
        return next((name for name in sizes if type(self.config[name]) is int and self.config[name] > SMALL), None)

    @property
    def layers(self) -> int | None:
        """The number of layers."""
        return self.first(LAYERS, MOST_LAYERS)


_UNDERSTOOD = frozenset(
    {*HIDDEN, *FACTORS, *VOCABULARY, *POSITIONS, *HEAD_WIDTHS, *INNER, *EXPERT_INNER, *SHARED_INNER, *STATES, *LATENT}
    | {*READ, *HARMLESS}
)
