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


def _dbrx(
    hidden: int, layers: int, heads: int, key_value_heads: int, vocabulary: int, experts: tuple[int, int, int]
) -> dict[str, Any]:
    number, chosen, width = experts
    return {
        "model_type": "dbrx", "d_model": hidden, "num_hidden_layers": layers, "n_heads": heads, "max_seq_len": 32768,
        "vocab_size": vocabulary, "tie_word_embeddings": False,
        "attn_config": {"kv_n_heads": key_value_heads, "clip_qkv": 8, "rope_theta": 500000},
        "ffn_config": {
            "ffn_hidden_size": width, "moe_num_experts": number, "moe_top_k": chosen, "moe_jitter_eps": 0.01,
        },
    }  # fmt: skip


def _sparse(values: dict[str, Any], experts: int, chosen: int, size: int | None = None, **more: Any) -> dict[str, Any]:
    name = "num_experts" if values["model_type"] in _NUM_EXPERTS else "num_local_experts"
    field = {name: experts}
    width = {"moe_intermediate_size": size} if size else {}
    return {**values, **field, **width, "num_experts_per_tok": chosen, **more}


_NUM_EXPERTS = ("qwen2_moe", "qwen3_moe", "qwen3_5_moe_text", "qwen3_next", "gemma4_text")
_DELTA = {
    "linear_num_key_heads": 2, "linear_num_value_heads": 4, "linear_key_head_dim": 64, "linear_value_head_dim": 32,
}  # fmt: skip
_TOY = (512, 1408, 3, 8, 2, 512)
_TOY_MLA = (512, 1408, 3, 8, 8, 512)
_TOY_WIDE = (512, 1408, 3, 4, 2, 512)
"""Heads of 128 numbers, which the positions of images are laid out for."""

_MAMBA = {"mamba_n_heads": 16, "mamba_d_head": 64, "mamba_d_state": 64, "mamba_chunk_size": 128}
_TOY_LAYERS = ["linear_attention", "full_attention", "linear_attention"]

_MLA = {
    "q_lora_rank": 192, "kv_lora_rank": 128, "qk_nope_head_dim": 64, "qk_rope_head_dim": 32, "v_head_dim": 48,
    "moe_intermediate_size": 256, "n_routed_experts": 16, "n_shared_experts": 1, "first_k_dense_replace": 1,
    "num_experts_per_tok": 4,
}  # fmt: skip

_GEMMA = {"head_dim": 256, "tie_word_embeddings": True}

_GEMMA_4 = {
    "tie_word_embeddings": True, "hidden_size_per_layer_input": 0, "attention_k_eq_v": True,
    "num_global_key_value_heads": 1, "final_logit_softcapping": 30.0,
}  # fmt: skip

_TOWER = {
    "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 4, "num_attention_heads": 4, "image_size": 224,
    "patch_size": 14,
}  # fmt: skip
_SIGLIP = {
    "hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27, "num_attention_heads": 16,
    "image_size": 896, "patch_size": 14, "vision_use_head": False,
}  # fmt: skip
_QWEN_TOWER = {"depth": 4, "hidden_size": 256, "intermediate_size": 512, "num_heads": 4, "out_hidden_size": 512}


def _wrapped(
    model_type: str, inner: dict[str, Any], tower: dict[str, Any], field: str = "vision_config"
) -> dict[str, Any]:
    return {
        "model_type": model_type,
        "tie_word_embeddings": inner["tie_word_embeddings"],
        "text_config": inner,
        field: tower,
    }


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
    "gemma-2b": _dense("gemma", 2048, 16384, 18, 8, 1, 256000, **_GEMMA),
    "granite3-2b": _dense("granite", 2048, 8192, 40, 32, 8, 49155, tie_word_embeddings=True),
    "smollm3-3b": _dense("smollm3", 2048, 11008, 36, 16, 4, 128256, tie_word_embeddings=True, pad_token_id=0),
    "olmo2-7b": _dense("olmo2", 4096, 11008, 32, 32, 32, 100352),
    "olmo3-7b": _dense("olmo3", 4096, 11008, 32, 32, 32, 100278, sliding_window=1024),
    "ministral3-8b": _dense("ministral3", 4096, 14336, 34, 32, 8, 131072, head_dim=128),
    "glm4-9b": _dense("glm4", 4096, 13696, 40, 32, 2, 151552, head_dim=128, pad_token_id=0),
    "exaone4-32b": _dense("exaone4", 5120, 27392, 64, 40, 8, 102400, sliding_window=1024, head_dim=128),
    "ernie4.5-0.3b": _dense("ernie4_5", 1024, 3072, 18, 16, 2, 103424, head_dim=128, tie_word_embeddings=True),
    "hunyuan-7b": _dense("hunyuan_v1_dense", 4096, 11008, 32, 32, 32, 290943, head_dim=128),
    "aya-8b": _dense("cohere", 4096, 14336, 32, 32, 8, 256000, tie_word_embeddings=True),
    "command-r7b": _dense("cohere2", 4096, 14336, 32, 32, 8, 256000, sliding_window=1024, tie_word_embeddings=True),
    "afm-4.5b": _dense("arcee", 2560, 18432, 36, 20, 4, 128004),
    "apertus-8b": _dense("apertus", 4096, 21504, 32, 32, 8, 131072),
    "seed-oss-36b": _dense("seed_oss", 5120, 27648, 64, 80, 8, 155136, head_dim=128),
    "pythia-1.4b": _dense("gpt_neox", 2048, 8192, 24, 16, 16, 50304),
    "phi-2": _dense("phi", 2560, 10240, 32, 32, 32, 51200, partial_rotary_factor=0.4, resid_pdrop=0.1),
    "stablelm-3b": _dense("stablelm", 2560, 6912, 32, 32, 32, 50304),
    "starcoder2-7b": _dense("starcoder2", 4608, 18432, 32, 36, 4, 49152, sliding_window=1024),
    "qwen1.5-moe": _sparse(_dense("qwen2_moe", 2048, 5632, 24, 16, 16, 151936), 60, 4, 1408),
    "olmoe-1b-7b": _sparse(_dense("olmoe", 2048, 2048, 16, 16, 16, 50304), 64, 8),
    "granite3-1b-a400m": _sparse(_dense("granitemoe", 1024, 512, 24, 16, 8, 49152, tie_word_embeddings=True), 32, 8),
    "minimax-m2.5": _sparse(_dense("minimax_m2", 3072, 1536, 62, 48, 8, 200064, head_dim=128, rotary_dim=64), 256, 8),
    "glm4.5-air": _dense(
        "glm4_moe",
        *(4096, 10944, 46, 96, 8, 151552),
        head_dim=128,
        attention_bias=True,
        moe_intermediate_size=1408,
        n_routed_experts=128,
        num_experts_per_tok=8,
    ),
    "falcon-7b": _dense("falcon", 4544, 18176, 32, 71, 71, 65024, tie_word_embeddings=True),
    "falcon-40b": _dense(
        "falcon",
        *(8192, 32768, 60, 128, 8, 65024),
        num_kv_heads=8,
        new_decoder_architecture=True,
        tie_word_embeddings=True,
    ),
    "opt-1.3b": _dense(
        "opt", *(2048, 8192, 24, 32, 32, 50272), ffn_dim=8192, max_position_embeddings=2048, tie_word_embeddings=True
    ),
    "gpt2-xl": _dense("gpt2", 1600, 6400, 48, 25, 25, 50257, max_position_embeddings=2048, tie_word_embeddings=True),
    "qwen3.5-4b": _dense("qwen3_5_text", 2560, 9216, 32, 16, 4, 248320, head_dim=256, tie_word_embeddings=True),
    "qwen3.5-35b-a3b": _sparse(_dense("qwen3_5_moe_text", 2048, 0, 40, 16, 2, 248320), 256, 8, 512),
    "qwen3-next-80b": _sparse(_dense("qwen3_next", 2048, 5120, 48, 16, 2, 151936), 512, 10, 512),
    "gemma4-31b": _dense(
        "gemma4_text", 5376, 21504, 60, 32, 16, 262144, **_GEMMA_4 | {"num_global_key_value_heads": 4}, head_dim=256
    ),
    "gemma4-26b-a4b": _sparse(
        _dense(
            *("gemma4_text", 2816, 2112, 30, 16, 8, 262144),
            **_GEMMA_4 | {"num_global_key_value_heads": 2},
            head_dim=256,
            enable_moe_block=True,
            top_k_experts=8,
        ),
        *(128, 8, 704),
    ),
    "deepseek-v3": _dense(
        *("deepseek_v3", 7168, 18432, 61, 128, 128, 129280), kv_lora_rank=512, q_lora_rank=1536, num_experts_per_tok=8
    ),
    "deepseek-v2-lite": _dense(
        *("deepseek_v2", 2048, 10944, 27, 16, 16, 102400),
        q_lora_rank=None,
        num_experts_per_tok=6,
        moe_intermediate_size=1408,
        first_k_dense_replace=1,
    ),
    "granite4-h-350m": _dense(
        *("granitemoehybrid", 768, 2048, 3, 12, 4, 100352),
        mamba_n_heads=48,
        mamba_d_head=32,
        mamba_d_state=128,
        shared_intermediate_size=2048,
        num_local_experts=0,
        layer_types=_TOY_LAYERS,
    ),
    "falcon-h1-7b": _dense(
        *("falcon_h1", 3072, 12288, 44, 12, 2, 130048),
        head_dim=128,
        mamba_d_ssm=3072,
        mamba_n_heads=24,
        mamba_d_head=128,
        mamba_d_state=256,
        mamba_chunk_size=128,
    ),
    "lfm2-1.2b": _dense(
        *("lfm2", 2048, 12288, 3, 32, 8, 65536), layer_types=["conv", "conv", "full_attention"], tie_embedding=True
    ),
    "granite4-h-tiny": _dense(
        *("granitemoehybrid", 1536, 512, 3, 12, 4, 100352),
        mamba_n_heads=48,
        mamba_d_head=64,
        mamba_d_state=128,
        shared_intermediate_size=1024,
        num_local_experts=64,
        num_experts_per_tok=6,
        layer_types=_TOY_LAYERS,
    ),
    "toy-qwen2": _dense("qwen2", *_TOY),
    "toy-dbrx": _dbrx(512, 3, 8, 2, 512, (4, 2, 704)),
    "dbrx": _dbrx(6144, 40, 48, 8, 100352, (16, 4, 10752)),
    "toy-qwen3.5": _dense("qwen3_5_text", *_TOY, head_dim=64, full_attention_interval=3, **_DELTA),
    "toy-qwen3": _dense("qwen3", *_TOY, head_dim=64),
    "toy-qwen3-moe": _sparse(_dense("qwen3_moe", *_TOY, head_dim=64, norm_topk_prob=True), 16, 4, 256),
    "toy-llama": _dense("llama", *_TOY),
    "toy-llama4": _sparse(_dense("llama4_text", *_TOY, head_dim=64, intermediate_size_mlp=2048), 4, 1),
    "toy-mistral": _dense("mistral", *_TOY, sliding_window=None),
    "toy-mixtral": _sparse(_dense("mixtral", *_TOY, sliding_window=None), 4, 2),
    "toy-gemma2": _dense("gemma2", *_TOY, head_dim=64, tie_word_embeddings=True),
    "toy-gemma3": _dense("gemma3_text", *_TOY, head_dim=64, tie_word_embeddings=True),
    "toy-deepseek-v2": _dense("deepseek_v2", *_TOY_MLA, **_MLA | {"q_lora_rank": None}),
    "toy-deepseek-v3": _dense("deepseek_v3", *_TOY_MLA, **_MLA, n_group=4, topk_group=2),
    "toy-phi3": _dense("phi3", *_TOY, pad_token_id=0),
    "toy-gemma4": _dense("gemma4_text", *_TOY, **_GEMMA_4, head_dim=64, global_head_dim=128),
    "toy-gemma4-moe": _sparse(
        _dense(
            *("gemma4_text", *_TOY),
            **_GEMMA_4,
            head_dim=64,
            global_head_dim=128,
            enable_moe_block=True,
            top_k_experts=4,
        ),
        16,
        4,
        256,
    ),
    "toy-gemma": _dense("gemma", *_TOY, head_dim=64, tie_word_embeddings=True),
    "toy-granite": _dense("granite", *_TOY, tie_word_embeddings=True),
    "toy-smollm3": _dense("smollm3", *_TOY, pad_token_id=0, no_rope_layer_interval=2),
    "toy-olmo2": _dense("olmo2", *_TOY),
    "toy-olmo3": _dense("olmo3", *_TOY),
    "toy-ministral3": _dense("ministral3", *_TOY, head_dim=64),
    "toy-glm4": _dense("glm4", *_TOY, head_dim=64, pad_token_id=0),
    "toy-exaone4": _dense("exaone4", *_TOY, sliding_window_pattern=2),
    "toy-ernie4-5": _dense("ernie4_5", *_TOY, head_dim=64, tie_word_embeddings=True),
    "toy-hunyuan": _dense("hunyuan_v1_dense", *_TOY, head_dim=64),
    "toy-cohere": _dense("cohere", *_TOY, tie_word_embeddings=True),
    "toy-cohere2": _dense("cohere2", *_TOY, sliding_window_pattern=2, tie_word_embeddings=True),
    "toy-arcee": _dense("arcee", *_TOY),
    "toy-apertus": _dense("apertus", *_TOY),
    "toy-seed-oss": _dense("seed_oss", *_TOY, head_dim=64),
    "toy-gpt-neox": _dense("gpt_neox", *_TOY),
    "toy-phi": _dense("phi", *_TOY),
    "toy-stablelm": _dense("stablelm", *_TOY),
    "toy-starcoder2": _dense("starcoder2", *_TOY),
    "toy-qwen2-moe": _sparse(_dense("qwen2_moe", *_TOY), 16, 4, 256, shared_expert_intermediate_size=1024),
    "toy-olmoe": _sparse(_dense("olmoe", *_TOY), 8, 2),
    "toy-granitemoe": _sparse(_dense("granitemoe", *_TOY), 4, 2),
    "toy-minimax-m2": _sparse(_dense("minimax_m2", *_TOY, head_dim=64, rotary_dim=32), 4, 2),
    "toy-glm4-moe": _dense(
        "glm4_moe", *_TOY, head_dim=64, moe_intermediate_size=256, n_routed_experts=16, num_experts_per_tok=4
    ),
    "gemma3-4b-vision": _wrapped(
        "gemma3",
        _dense("gemma3_text", 2560, 10240, 34, 8, 4, 262208, sliding_window=1024, **_GEMMA),
        _SIGLIP,
    ),
    "qwen3-vl-8b": _wrapped(
        "qwen3_vl",
        _dense("qwen3_vl_text", 4096, 12288, 36, 32, 8, 151936, head_dim=128),
        {"out_hidden_size": 4096},
    ),
    "toy-gemma3-vision": _wrapped(
        "gemma3",
        _dense("gemma3_text", *_TOY, head_dim=64, tie_word_embeddings=True),
        _TOWER | {"vision_use_head": False},
    ),
    "toy-mistral3": _wrapped("mistral3", _dense("mistral", *_TOY, head_dim=64, sliding_window=None), _TOWER),
    "toy-qwen2-vl": _wrapped(
        "qwen2_vl",
        _dense("qwen2_vl_text", *_TOY_WIDE),
        {"depth": 4, "embed_dim": 256, "num_heads": 4, "hidden_size": 512},
    ),
    "toy-qwen2.5-vl": _wrapped("qwen2_5_vl", _dense("qwen2_5_vl_text", *_TOY_WIDE), _QWEN_TOWER),
    "toy-qwen3-vl": _wrapped("qwen3_vl", _dense("qwen3_vl_text", *_TOY, head_dim=64), _QWEN_TOWER),
    "toy-qwen3-vl-moe": _wrapped(
        "qwen3_vl_moe",
        _sparse(_dense("qwen3_vl_moe_text", *_TOY, head_dim=64), 16, 4, 256),
        _QWEN_TOWER,
    ),
    "toy-glm4v": _wrapped("glm4v", _dense("glm4v_text", *_TOY, pad_token_id=0), _QWEN_TOWER),
    "toy-voxtral": _wrapped("voxtral", _dense("llama", *_TOY, head_dim=64), {"num_hidden_layers": 2}, "audio_config"),
    "toy-llava": _wrapped("llava", _dense("llama", *_TOY), _TOWER),
    "toy-idefics3": _wrapped("idefics3", _dense("llama", *_TOY, pad_token_id=0), _TOWER),
    "toy-llava-next": _wrapped("llava_next", _dense("llama", *_TOY), _TOWER),
    "toy-smolvlm": _wrapped("smolvlm", _dense("llama", *_TOY, pad_token_id=0), _TOWER),
    "toy-gemma4-vision": _wrapped(
        "gemma4",
        _dense("gemma4_text", *_TOY, **_GEMMA_4, head_dim=64, global_head_dim=128),
        _TOWER | {"head_dim": 64, "num_key_value_heads": 4},
    ),
    "toy-gemma4-unified": _wrapped(
        "gemma4_unified",
        _dense("gemma4_unified_text", *_TOY, **_GEMMA_4, head_dim=64, global_head_dim=128),
        {"mm_embed_dim": 512, "output_proj_dims": 512},
    ),
    "toy-internvl": _wrapped("internvl", _dense("qwen2", *_TOY), _TOWER),
    "toy-granite4": _dense(
        *("granitemoehybrid", *_TOY),
        **_MAMBA,
        shared_intermediate_size=1408,
        num_local_experts=0,
        layer_types=_TOY_LAYERS,
    ),
    "toy-granite4-moe": _dense(
        *("granitemoehybrid", *_TOY),
        **_MAMBA | {"mamba_n_groups": 2},
        shared_intermediate_size=512,
        num_local_experts=8,
        num_experts_per_tok=2,
        position_embedding_type="rope",
        layer_types=_TOY_LAYERS,
    ),
    "toy-falcon-h1": _dense("falcon_h1", *_TOY, **_MAMBA, mamba_d_ssm=1024),
    "toy-falcon-h1-normed": _dense(
        *("falcon_h1", *_TOY), **_MAMBA, mamba_d_ssm=1024, mamba_rms_norm=True, mamba_norm_before_gate=False
    ),
    "toy-lfm2": _dense("lfm2", *_TOY, layer_types=["conv", "full_attention", "conv"], tie_embedding=False),
    "toy-gpt-oss": _sparse(_dense("gpt_oss", *_TOY, head_dim=64, sliding_window=128), 8, 2),
}
"""By a short name; the fields that are left out take transformers' defaults."""
