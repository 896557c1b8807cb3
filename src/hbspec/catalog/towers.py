"""Every parameter tensor that a wrapper holds beside its language model: the tower for images or sound, the projector.

Shapes and names are those of transformers 5.23.0 (`models/*/modeling_*.py`), and so are the defaults of fields that a
nested config omits (`configuration_*.py`). A tower without its config, or of another kind, is refused: its size is not
known. Left out: the weights of a tower in PyTorch's own library (timm).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hbspec.catalog.config_fields import ArchitectureError, Fields, shown
from hbspec.catalog.encoders import TOWERS, layer_norm, linear, table, vector
from hbspec.catalog.families.family import Family
from hbspec.catalog.families.wrappers import Wrapper
from hbspec.catalog.weight import Weight

if TYPE_CHECKING:
    from hbspec.catalog.architecture import Architecture

_VIT: Mapping[str, Any] = {
    "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_channels": 3, "image_size": 224,
}  # fmt: skip
_QWEN: Mapping[str, Any] = {
    "depth": 32, "in_channels": 3, "patch_size": 14, "temporal_patch_size": 2, "spatial_merge_size": 2,
}  # fmt: skip
_QWEN_3: Mapping[str, Any] = {
    **_QWEN, "depth": 27, "hidden_size": 1152, "intermediate_size": 4304, "patch_size": 16, "out_hidden_size": 3584,
    "num_position_embeddings": 2304, "deepstack_visual_indexes": [8, 16, 24],
}  # fmt: skip
_IDEFICS: Mapping[str, Any] = {**_VIT, "hidden_size": 1152, "patch_size": 32}
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "siglip_vision_model": {**_VIT, "patch_size": 16, "vision_use_head": True},
    "clip_vision_model": {**_VIT, "patch_size": 32},
    "idefics3_vision": _IDEFICS,
    "smolvlm_vision": _IDEFICS,
    "pixtral": {**_VIT, "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "patch_size": 16},
    "internvl_vision": {
        **_VIT, "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "patch_size": 14,
        "image_size": 448, "attention_bias": False, "use_qk_norm": False, "use_mask_token": False,
        "use_absolute_position_embeddings": True,
    },
    "qwen2_vl_vision": {**_QWEN, "embed_dim": 1280, "hidden_size": 3584, "mlp_ratio": 4},
    "qwen2_5_vl_vision": {**_QWEN, "hidden_size": 3584, "intermediate_size": 3420, "out_hidden_size": 3584},
    "qwen3_vl_vision": _QWEN_3,
    "qwen3_vl_moe_vision": _QWEN_3,
    "glm4v_vision": {
        **_QWEN, "depth": 24, "hidden_size": 1536, "intermediate_size": 13696, "out_hidden_size": 4096,
        "image_size": 336, "attention_bias": False,
    },
    "gemma4_vision": {
        "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 16, "num_attention_heads": 12,
        "num_key_value_heads": 12, "head_dim": 64, "patch_size": 16, "position_embedding_size": 10240,
    },
    "gemma4_unified_vision": {
        "patch_size": 16, "pooling_kernel_size": 3, "mm_embed_dim": 3840, "mm_posemb_size": 1120,
        "output_proj_dims": 3840,
    },
    "voxtral_encoder": {
        "hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32, "num_mel_bins": 128,
        "max_source_positions": 1500,
    },
}  # fmt: skip
"""Fields of the config of a tower that its size depends on, with their defaults, by the tower's type."""

USUAL: Mapping[str, str] = {
    "gemma3": "siglip_vision_model", "mistral3": "pixtral", "llava": "clip_vision_model",
    "llava_next": "clip_vision_model", "voxtral": "voxtral_encoder",
}  # fmt: skip
"""The tower of a wrapper whose config does not say it; elsewhere it is named for the wrapper."""

PROJECTORS: Mapping[str, Mapping[str, Any]] = {
    "gemma3": {},
    "mistral3": {"vision_feature_layer": -1, "multimodal_projector_bias": False, "spatial_merge_size": 2},
    "llava": {"vision_feature_layer": -2, "multimodal_projector_bias": True},
    "llava_next": {"vision_feature_layer": -2, "multimodal_projector_bias": True},
    "idefics3": {"scale_factor": 2},
    "smolvlm": {"scale_factor": 2},
    "internvl": {"downsample_ratio": 0.5},
    "gemma4": {},
    "gemma4_unified": {},
}
"""Fields of a wrapper's own config that its projector's size depends on; wrappers that are not listed have none."""


def tower(config: Mapping[str, Any], model_type: str, wrapper: Wrapper, text: Architecture) -> tuple[Weight, ...]:
    """All tensors of a wrapper that its language model does not have.

    Args:
        config: the wrapper's `config.json`.
        model_type: its type.
        wrapper: what is known of that type.
        text: the language model.

    Raises:
        ArchitectureError: the tower has no config, is of a type that is not counted, or its config has a field of
            another kind.
    """
    inner = config.get(wrapper.tower)
    if wrapper.refused and config.get(wrapper.refused) is not None:
        raise ArchitectureError(wrapper.refused, "is a tower that is not counted")
    if wrapper.optional and inner is None and config.get("audio_config") is None:
        return ()
    if not isinstance(inner, Mapping):
        raise ArchitectureError(wrapper.tower, f"is missing; a {model_type} config holds its tower there")
    kind = kind_of(inner, model_type)
    if not isinstance(kind, str) or kind not in DEFAULTS:
        message = f"{shown(kind)} is not counted; counted: {', '.join(sorted(DEFAULTS))}"
        raise ArchitectureError(f"{wrapper.tower}.model_type", message, not_modelled=isinstance(kind, str))
    fields = Fields(inner, Family(DEFAULTS[kind]), f"{wrapper.tower}.")
    outer = Fields(config, Family(PROJECTORS.get(model_type, {})), "")
    return (*TOWERS[kind](fields), *_projector(model_type, outer, fields, text))


def kind_of(inner: Mapping[str, Any], model_type: str) -> Any:
    """The type of a wrapper's tower, as its config says it or as it usually is; whatever stands there instead."""
    usual = USUAL.get(model_type, f"{model_type}_vision")
    kind = inner.get("model_type") or usual
    return usual if kind == model_type else kind


def _projector(model_type: str, outer: Fields, inner: Fields, text: Architecture) -> Iterator[Weight]:
    """What carries the tower's numbers over to the language model; towers of Qwen and GLM do it themselves."""
    if model_type not in PROJECTORS and model_type != "voxtral":
        return
    hidden = text.hidden_size
    if model_type in ("gemma4", "gemma4_unified"):
        width = inner.whole("hidden_size" if model_type == "gemma4" else "output_proj_dims")
        yield from _kept_last([("embedding_projection", width), *_audio(outer)], text)
        return
    width = inner.whole("intermediate_size" if model_type == "voxtral" else "hidden_size")
    if model_type == "gemma3":
        yield from table("mm_input_projection", width, hidden)
        yield from vector("mm_soft_emb_norm", 1, width)
    elif "scale_factor" in outer.family.defaults:
        yield from linear("modality_projection.proj", 1, hidden, outer.whole("scale_factor") ** 2 * width, bias=False)
    elif model_type == "internvl":
        ratio = outer.checked_share("downsample_ratio", outer.get("downsample_ratio"))
        if not ratio:
            raise outer.fail("downsample_ratio", "is 0")
        yield from layer_norm("layer_norm", 1, int(1 / ratio) ** 2 * width)
        yield from _two(hidden, int(1 / ratio) ** 2 * width, bias=True)
    else:
        if model_type == "mistral3":
            yield from vector("projector.norm", 1, width)
            merged = outer.whole("spatial_merge_size") ** 2 * width
            yield from linear("merging_layer", 1, width, merged, bias=False)
        if model_type == "llava_next":
            yield from vector("image_newline", 1, hidden)
        bias = model_type != "voxtral" and outer.flag("multimodal_projector_bias")
        yield from _two(hidden, _features(outer) * width, bias)


def _audio(outer: Fields) -> Iterator[tuple[str, int]]:
    """What projects raw sound, which Gemma 4 without towers hears, and how wide that is."""
    audio = outer.config.get("audio_config")
    if isinstance(audio, Mapping):
        fields = Fields(audio, Family({"audio_embed_dim": 640}), "audio_config.")
        yield "audio.embedding_projection", fields.whole("audio_embed_dim")


def _kept_last(projections: Sequence[tuple[str, int]], text: Architecture) -> Iterator[Weight]:
    """Linear modules behind the language model: the last of all is not quantised (`get_keys_to_not_convert`).

    That is the head, unless it is tied to the embedding.
    """
    for number, (name, width) in enumerate(projections, 1):
        last = text.tie_word_embeddings and number == len(projections)
        yield Weight(name, "kept" if last else "linear", 1, text.hidden_size, width)


def _two(hidden: int, width: int, bias: bool) -> Iterator[Weight]:
    yield from linear("linear_1", 1, hidden, width, bias)
    yield from linear("linear_2", 1, hidden, hidden, bias)


def _features(outer: Fields) -> int:
    """Layers of the tower whose outputs the projector reads side by side."""
    layers = outer.get("vision_feature_layer")
    return len(layers) or 1 if isinstance(layers, list | tuple) else 1
