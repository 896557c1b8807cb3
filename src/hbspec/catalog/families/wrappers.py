"""Models that hold a language model beside a vision or audio tower, and the language models that only they hold.

Source: transformers 5.23.0, `models/*/configuration_*.py`, and `models/auto/modeling_auto.py`
(`MODEL_FOR_CAUSAL_LM_MAPPING_NAMES`) for what `AutoModelForCausalLM` builds.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from hbspec.catalog.families.dense import DENSE, QWEN_WINDOW
from hbspec.catalog.families.family import Family, defaults, without_head_dim
from hbspec.catalog.families.mixtures import MIXTURES

WHOLE, TEXT, REFUSED = "whole", "text", ""
OUTER, INNER_ONLY, EITHER, NEVER = "outer", "inner", "either", "never"


class Wrapper(NamedTuple):
    """What tells one wrapper from others.

    Attributes:
        text: the type of the language model where `text_config` does not say it.
        others: other types that it may say; None is any that can be trained alone.
        built: what `AutoModelForCausalLM` builds of it: the WHOLE model with its tower, the language model as TEXT
            alone, or nothing (REFUSED).
        tower: the field that describes the tower.
        flat: published configs hold the fields of the language model beside `vision_config`, without a `text_config`.
        tied: where the head may be tied to the embedding by: the OUTER config, that of the language model
            (INNER_ONLY), EITHER of both, or NEVER.
        own_cache: whether the wrapper's own `use_cache` says whether keys and values are cached; else `text_config`
            does, which trainers do not change.
        optional: whether a config may have no tower, and then none is built.
        masked: the wrapper makes a mask even where no row is padded and no image is there.
        refused: a field that describes another tower, which is not counted.
        inside: what fields that `text_config` omits are, where that is not what the language model's class says.
    """

    text: str
    others: tuple[str, ...] | None = ()
    built: str = REFUSED
    tower: str = "vision_config"
    flat: bool = False
    tied: str = OUTER
    own_cache: bool = False
    optional: bool = False
    masked: bool = False
    refused: str = ""
    inside: Mapping[str, Any] = MappingProxyType({})


_VOXTRAL = {
    "vocab_size": 131072, "hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": 30,
    "num_key_value_heads": 8, "max_position_embeddings": 131072, "head_dim": 128,
}  # fmt: skip

WRAPPERS: Mapping[str, Wrapper] = {
    "gemma3": Wrapper("gemma3_text", built=WHOLE),
    "gemma4": Wrapper("gemma4_text", built=WHOLE, optional=True, own_cache=True, refused="audio_config"),
    "gemma4_unified": Wrapper("gemma4_unified_text", built=WHOLE, optional=True, own_cache=True, masked=True),
    "llama4": Wrapper("llama4_text", built=TEXT),
    "mistral3": Wrapper("mistral", ("ministral3",), own_cache=True),
    "qwen2_vl": Wrapper("qwen2_vl_text", flat=True, tied=EITHER),
    "qwen2_5_vl": Wrapper("qwen2_5_vl_text", flat=True, tied=EITHER),
    "qwen3_vl": Wrapper("qwen3_vl_text"),
    "qwen3_vl_moe": Wrapper("qwen3_vl_moe_text"),
    "qwen3_5": Wrapper("qwen3_5_text", built=TEXT, tied=INNER_ONLY),
    "qwen3_5_moe": Wrapper("qwen3_5_moe_text", built=TEXT, tied=INNER_ONLY),
    "glm4v": Wrapper("glm4v_text", tied=EITHER),
    "voxtral": Wrapper("llama", tower="audio_config", tied=NEVER, inside=_VOXTRAL),
    "llava": Wrapper("llama", None, tied=EITHER),
    "llava_next": Wrapper("llama", None, own_cache=True),
    "idefics3": Wrapper("llama", None, own_cache=True),
    "smolvlm": Wrapper("llama", None, own_cache=True),
    "internvl": Wrapper("qwen2", None),
}
"""Wrappers by model type."""

_QWEN2_VL = without_head_dim(
    (8192, 29568, 80, 64, 8), 152064, 32768, **QWEN_WINDOW, max_window_layers=80, layer_types=None
)

INNER: Mapping[str, Family] = {
    "qwen2_vl_text": DENSE["qwen2"]._replace(defaults=_QWEN2_VL, rotated_each_row=True, packed_apart=False),
    "qwen2_5_vl_text": DENSE["qwen2"]._replace(defaults=_QWEN2_VL, rotated_each_row=True, packed_apart=False),
    "qwen3_vl_text": DENSE["qwen3"]._replace(
        defaults=defaults((4096, 22016, 32, 32, 32, 128), 151936, 128000, attention_bias=False),
        rotated_each_row=True,
    ),
    "qwen3_vl_moe_text": MIXTURES["qwen3_moe"]._replace(
        defaults=defaults(
            (2048, 5632, 24, 16, 16, None),
            151936,
            128000,
            attention_bias=False,
            decoder_sparse_step=1,
            mlp_only_layers=None,
            moe_intermediate_size=1408,
            num_experts=60,
            num_local_experts=60,
            num_experts_per_tok=4,
        )
        | {"tie_word_embeddings": True},
        fused_targets={},
        rotated_each_row=True,
    ),
    "glm4v_text": DENSE["glm4"]._replace(
        defaults=without_head_dim((4096, 13696, 40, 32, 2), 151552, 32768),
        biases=("always", "", ""),
        rotated_anew=False,
        rotated_each_row=True,
        packed_apart=False,
        rotated_share=1.0,
    ),
}
"""Language models that `AutoModelForCausalLM` does not build alone. Positions of images aside, three axes of them are
merged before the layers, which then compute as those of the family that each is made from."""
