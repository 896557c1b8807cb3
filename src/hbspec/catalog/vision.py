"""What a tower for images computes with: its layers, and how many patches and tokens an image is.

Sources: transformers 5.23.0, `models/*/modeling_*.py` and `configuration_*.py`, with the defaults of fields that a
config omits in `hbspec.catalog.towers`; `smart_resize` of `models/qwen2_vl/image_processing_qwen2_vl.py`, and
`models/pixtral/image_processing_pixtral.py`. Left out: towers of other types, whose weights alone are counted, videos
and sound.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from hbspec.catalog.config_fields import Fields
from hbspec.catalog.families.family import Family
from hbspec.catalog.families.wrappers import Wrapper
from hbspec.catalog.towers import DEFAULTS, PROJECTORS, kind_of

QWEN2, QWEN2_5, QWEN3, SIGLIP, CLIP, PIXTRAL = "qwen2", "qwen2_5", "qwen3", "siglip", "clip", "pixtral"

KINDS: Mapping[str, str] = {
    "qwen2_vl_vision": QWEN2,
    "qwen2_5_vl_vision": QWEN2_5,
    "qwen3_vl_vision": QWEN3,
    "qwen3_vl_moe_vision": QWEN3,
    "siglip_vision_model": SIGLIP,
    "clip_vision_model": CLIP,
    "pixtral": PIXTRAL,
}
"""Towers whose layers are counted, by the type of their config."""

WRAPPED: Mapping[str, tuple[str, ...]] = {
    "qwen2_vl": (QWEN2,),
    "qwen2_5_vl": (QWEN2_5,),
    "qwen3_vl": (QWEN3,),
    "qwen3_vl_moe": (QWEN3,),
    "gemma3": (SIGLIP,),
    "llava": (CLIP, PIXTRAL),
    "mistral3": (PIXTRAL,),
}
"""The towers that are counted in each wrapper."""

_SHAPES: Mapping[str, Mapping[str, Any]] = {
    QWEN2: {"num_heads": 16, "hidden_act": "quick_gelu"},
    QWEN2_5: {"num_heads": 16, "hidden_act": "silu", "window_size": 112, "fullatt_block_indexes": [7, 15, 23, 31]},
    QWEN3: {"num_heads": 16, "hidden_act": "gelu_pytorch_tanh"},
    SIGLIP: {"num_attention_heads": 12, "hidden_act": "gelu_pytorch_tanh"},
    CLIP: {"num_attention_heads": 12, "hidden_act": "quick_gelu"},
    PIXTRAL: {"num_attention_heads": 16, "hidden_act": "gelu"},
}
"""Fields that the weights do not depend on, with their defaults."""

_OUTER: Mapping[str, Any] = {
    "mm_tokens_per_image": 256, "vision_feature_layer": -2, "vision_feature_select_strategy": "default",
    "spatial_merge_size": 2, "projector_hidden_act": "gelu", "multimodal_projector_bias": True,
}  # fmt: skip


class Vision(NamedTuple):
    """A tower for images, and the projector behind it.

    Attributes:
        kind: of the tower.
        wrapper: the type of the model that holds it.
        width: numbers of a patch between its layers.
        layers: that run; those behind the one that is read are run too.
        read: how many layers come before the one whose output is read.
        heads: of the attention.
        inner: width of the MLP.
        gated: whether the MLP has a gate.
        quick: whether its activation is the quick GELU.
        patch: numbers of a patch of the image.
        side: pixels of a patch's side.
        merge: patches of the side of a square that one token of the row stands for.
        fixed: patches of an image's side, where all images are made one size; 0 where they are not.
        leading: tokens before the patches of each image, inside the tower.
        window: patches of the side of a square that most layers attend within; 0 where they attend to the image.
        whole: indices of the layers that attend to the image nevertheless.
        taps: indices of the layers whose outputs are merged into the first layers of the language model, too.
        out: width of the language model.
        bias: whether the projector has biases.
    """

    kind: str
    wrapper: str
    width: int
    layers: int
    read: int
    heads: int
    inner: int
    gated: bool
    quick: bool
    patch: int
    side: int
    merge: int
    fixed: int
    leading: int
    window: int
    whole: tuple[int, ...]
    taps: tuple[int, ...]
    out: int
    bias: bool

    @property
    def square(self) -> int:
        """Patches that one token of the row stands for."""
        return self.merge**2

    def tokens(self, pixels: int) -> int:
        """Tokens in the row of an image of so many pixels: as many squares of `merge` patches as it has room for."""
        if self.fixed:
            return (self.fixed // self.merge) ** 2
        return max(1, pixels // (self.side * self.merge) ** 2)

    def patches(self, pixels: int) -> int:
        """Patches that the tower computes of an image of so many pixels, without what comes before them."""
        return self.fixed**2 if self.fixed else self.tokens(pixels) * self.square


def vision(config: Mapping[str, Any], model_type: str, wrapper: Wrapper, hidden: int) -> Vision | None:
    """The tower of a wrapper; None where its layers are not counted, or it has none.

    Args:
        config: the wrapper's `config.json`.
        model_type: its type.
        wrapper: what is known of that type.
        hidden: width of the language model.

    Raises:
        ArchitectureError: a field is of another kind.
    """
    inner = config.get(wrapper.tower)
    if not isinstance(inner, Mapping) or model_type not in WRAPPED:
        return None
    named = kind_of(inner, model_type)
    kind = KINDS.get(named, "")
    if kind not in WRAPPED[model_type]:
        return None
    fields = Fields(inner, Family({**DEFAULTS[named], **_SHAPES[kind]}), f"{wrapper.tower}.")
    outer = Fields(config, Family({**_OUTER, **PROJECTORS.get(model_type, {})}), "")
    try:
        return _vision(kind, model_type, fields, outer, hidden)
    except _NotCountedError:
        return None


class _NotCountedError(Exception):
    """A tower that runs in a way that is not counted."""


def _vision(kind: str, model_type: str, f: Fields, outer: Fields, hidden: int) -> Vision:
    qwen = kind in (QWEN2, QWEN2_5, QWEN3)
    width = f.whole("embed_dim" if kind == QWEN2 else "hidden_size")
    layers, side = f.whole("depth" if qwen else "num_hidden_layers"), _side(f, "patch_size")
    channels = f.whole("in_channels") * f.whole("temporal_patch_size") if qwen else f.whole("num_channels")
    fixed = _side(f, "image_size") // side if kind in (SIGLIP, CLIP) else 0
    return Vision(
        kind=kind,
        wrapper=model_type,
        width=width,
        layers=layers,
        read=_read(outer, layers) if model_type in ("llava", "mistral3") else layers,
        heads=f.whole("num_heads" if qwen else "num_attention_heads"),
        inner=f.whole("mlp_ratio") * width if kind == QWEN2 else f.whole("intermediate_size"),
        gated=kind in (QWEN2_5, PIXTRAL),
        quick=f.text("hidden_act") == "quick_gelu",
        patch=channels * side**2,
        side=side,
        merge=_merge(model_type, f, outer, fixed),
        fixed=fixed,
        leading=int(kind == CLIP),
        window=f.whole("window_size") // side if kind == QWEN2_5 else 0,
        whole=tuple(f.listed("fullatt_block_indexes", int) or ()) if kind == QWEN2_5 else (),
        taps=tuple(f.listed("deepstack_visual_indexes", int) or ()) if kind == QWEN3 else (),
        out=hidden,
        bias=qwen or (model_type != "gemma3" and outer.flag("multimodal_projector_bias")),
    )


def _side(f: Fields, field: str) -> int:
    given = f.get(field)
    if isinstance(given, list | tuple):
        if len({*given}) != 1 or type(given[0]) is not int:
            raise _NotCountedError
        return int(given[0])
    return f.whole(field)


def _merge(model_type: str, f: Fields, outer: Fields, fixed: int) -> int:
    """Patches of a token's side."""
    if model_type == "gemma3":
        return fixed // int(outer.whole("mm_tokens_per_image") ** 0.5)
    if model_type == "llava":
        return 1
    return (outer if model_type == "mistral3" else f).whole("spatial_merge_size")


def _read(outer: Fields, layers: int) -> int:
    """Layers before the one whose output the projector reads: `hidden_states[0]` is before the first."""
    at = outer.get("vision_feature_layer")
    if type(at) is not int or not -layers - 1 <= at <= layers:
        raise _NotCountedError
    if outer.get("vision_feature_select_strategy") != "default" and "vision_feature_select_strategy" in outer.config:
        raise _NotCountedError
    return at if at >= 0 else layers + 1 + at
