"""Families with `nn.LayerNorm`, most of them with biases and without a gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.catalog.families.family import Family, defaults, without_head_dim

_ALWAYS = ("always", "always", "always")


def _ungrouped(found: dict[str, Any]) -> dict[str, Any]:
    """The same of a class without `num_key_value_heads`."""
    del found["num_key_value_heads"]
    return found


def _unsized(found: dict[str, Any]) -> dict[str, Any]:
    """The same of one without `intermediate_size` as well."""
    del found["intermediate_size"]
    return _ungrouped(found)


_GPT_FIELDS = {
    "hidden_size": "n_embd",
    "num_hidden_layers": "n_layer",
    "num_attention_heads": "n_head",
    "max_position_embeddings": "n_positions",
}
_GPT_DROPOUTS = {"residual": "resid_pdrop", "embedding": "embd_pdrop", "attention": "attn_pdrop"}
FALCON: Mapping[str, Any] = {
    "defaults": {
        **_unsized(without_head_dim((4544, 0, 32, 71, None), 65024, 2048)),
        "tie_word_embeddings": True,
        "ffn_hidden_size": None,
        "activation": "gelu",
        "num_kv_heads": None,
        "num_ln_in_parallel_attn": None,
        "new_decoder_architecture": False,
        "multi_query": True,
        "parallel_attn": True,
        "alibi": False,
        "bias": False,
        "hidden_dropout": 0.0,
    },
    "dense_size": "ffn_hidden_size",
    "expansion": 4,
    "biases": ("", "", ""),
    "norm": "layer",
    "names": {
        "embed_tokens": "word_embeddings",
        "norm": "ln_f",
        "qkv_proj": "query_key_value",
        "o_proj": "dense",
        "up_proj": "dense_h_to_4h",
        "down_proj": "dense_4h_to_h",
    },
    "containers": frozenset({"transformer", "h", "self_attention", "mlp"}),
    "parallel": "into",
    "activation": "activation",
    "gated": False,
    "fused_attention": "gathered",
    "own_linear": True,
    "masked": True,
}
_GROUPED = {
    **FALCON,
    "fields": {"num_key_value_heads": "num_kv_heads"},
    "refused": ("alibi", "bias", "hidden_dropout"),
    "required": ("parallel_attn",),
}
LAYER_NORMS: Mapping[str, Family] = {
    "gpt2": Family(
        {
            "n_embd": 768,
            "n_layer": 12,
            "n_head": 12,
            "n_positions": 1024,
            "n_inner": None,
            "vocab_size": 50257,
            "tie_word_embeddings": True,
            "activation_function": "gelu_new",
            "resid_pdrop": 0.1,
            "embd_pdrop": 0.1,
            "attn_pdrop": 0.1,
            "add_cross_attention": False,
            "reorder_and_upcast_attn": False,
        },
        fields=_GPT_FIELDS,
        refused=("add_cross_attention", "reorder_and_upcast_attn"),
        expansion=4,
        dense_size="n_inner",
        biases=_ALWAYS,
        norms=("ln_1", "", "ln_2", ""),
        norm="layer",
        names={
            "embed_tokens": "wte",
            "embed_positions": "wpe",
            "norm": "ln_f",
            "qkv_proj": "c_attn",
            "o_proj": "c_proj",
            "up_proj": "c_fc",
            "down_proj": "c_proj",
        },
        containers=frozenset({"transformer", "h", "attn", "mlp"}),
        activation="activation_function",
        attention_held="output",
        dropouts=_GPT_DROPOUTS,
        gated=False,
        fused_attention="chunks",
        learned=0,
        learned_once=True,
    ),
    "opt": Family(
        {
            **_unsized(without_head_dim((768, 0, 12, 12, None), 50272, 2048)),
            "tie_word_embeddings": True,
            "ffn_dim": 3072,
            "word_embed_proj_dim": None,
            "do_layer_norm_before": True,
            "_remove_final_layer_norm": False,
            "layer_norm_elementwise_affine": True,
            "layerdrop": 0.0,
            "enable_bias": True,
            "activation_function": "relu",
            "dropout": 0.1,
            "attention_dropout": 0.0,
        },
        fields={"intermediate_size": "ffn_dim"},
        refused=("_remove_final_layer_norm", "layerdrop"),
        required=("do_layer_norm_before", "layer_norm_elementwise_affine"),
        equal={"word_embed_proj_dim": "hidden_size"},
        dense_size="ffn_dim",
        biases=("enable_bias", "enable_bias", "enable_bias"),
        norms=("self_attn_layer_norm", "", "final_layer_norm", ""),
        norm="layer",
        names={"norm": "final_layer_norm", "o_proj": "out_proj", "up_proj": "fc1", "down_proj": "fc2"},
        containers=frozenset({"model", "decoder", "layers", "self_attn"}),
        activation="activation_function",
        dropouts={"residual": "dropout", "attention": "attention_dropout"},
        gated=False,
        mlp_inline=True,
        learned=2,
        scaled=frozenset({"projected"}),
    ),
    "falcon": Family(
        **FALCON,
        refused=("alibi", "bias", "hidden_dropout", "num_ln_in_parallel_attn"),
        required=("parallel_attn", "multi_query"),
        one_key=True,
        norms=("input_layernorm", "", "", ""),
        variants={
            "two norms": (
                {"new_decoder_architecture": (True,), "num_ln_in_parallel_attn": (None, 2)},
                Family(**_GROUPED, norms=("ln_attn", "", "ln_mlp", "")),
            ),
            "one norm": (
                {"new_decoder_architecture": (True,)},
                Family(**_GROUPED, norms=("input_layernorm", "", "", "")),
            ),
        },
    ),
    "gpt_neox": Family(
        _ungrouped(
            without_head_dim(
                (6144, 24576, 44, 64, None),
                50432,
                2048,
                attention_bias=True,
                use_parallel_residual=True,
                hidden_act="gelu",
                hidden_dropout=0.0,
                attention_dropout=0.0,
            )
        ),
        biases=("attention_bias", "attention_bias", "always"),
        norm="layer",
        names={
            "embed_tokens": "embed_in",
            "norm": "final_layer_norm",
            "qkv_proj": "query_key_value",
            "o_proj": "dense",
            "up_proj": "dense_h_to_4h",
            "down_proj": "dense_4h_to_h",
        },
        containers=frozenset({"gpt_neox", "layers", "attention", "mlp"}),
        parallel="last",
        parallel_field="use_parallel_residual",
        dropouts={"residual": "hidden_dropout", "embedding": "hidden_dropout", "attention": "attention_dropout"},
        gated=False,
        fused_attention="chunks",
        rotated_share=0.25,
        share_field="rotary_pct",
    ),
    "phi": Family(
        defaults(
            (2048, 8192, 24, 32, None, None),
            51200,
            2048,
            hidden_act="gelu_new",
            qk_layernorm=False,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attention_dropout=0.0,
        ),
        refused=("qk_layernorm",),
        biases=_ALWAYS,
        head_bias=True,
        norms=("input_layernorm", "", "", ""),
        norm="layer",
        names={"norm": "final_layernorm", "o_proj": "dense", "up_proj": "fc1", "down_proj": "fc2"},
        parallel="last",
        dropouts={"residual": "resid_pdrop", "embedding": "embd_pdrop", "attention": "attention_dropout"},
        gated=False,
        rotated_share=0.5,
    ),
    "stablelm": Family(
        without_head_dim(
            (2560, 6912, 32, 32, 32),
            50304,
            4096,
            use_qkv_bias=False,
            qk_layernorm=False,
            use_parallel_residual=False,
            hidden_dropout=0.0,
            attention_dropout=0.0,
        ),
        refused=("qk_layernorm", "hidden_dropout"),
        biases=("use_qkv_bias", "", ""),
        norm="layer",
        parallel="first",
        attention_held="both",
        norm_shared=True,
        parallel_field="use_parallel_residual",
        dropouts={"attention": "attention_dropout"},
        rotated_share=0.25,
    ),
    "starcoder2": Family(
        defaults(
            (3072, 12288, 30, 24, 2, None),
            49152,
            4096,
            use_bias=True,
            sliding_window=None,
            hidden_act="gelu_pytorch_tanh",
            residual_dropout=0.0,
            embedding_dropout=0.0,
            attention_dropout=0.0,
        )
        | {"tie_word_embeddings": True},
        biases=("use_bias", "use_bias", "use_bias"),
        norm="layer",
        names={"up_proj": "c_fc", "down_proj": "c_proj"},
        dropouts={"residual": "residual_dropout", "embedding": "embedding_dropout", "attention": "attention_dropout"},
        gated=False,
    ),
}
