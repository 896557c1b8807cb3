"""Towers for images or sound, tensor by tensor, each from the fields of its own config.

Source: transformers 5.23.0, `models/*/modeling_*.py`; the tests compare each with the module that is built from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from hbspec.catalog.config_fields import LARGEST, Fields
from hbspec.catalog.weight import Weight


def vector(name: str, number: int, width: int) -> Iterator[Weight]:
    """So many vectors of a width."""
    yield Weight(name, "kept", number, width, 1)


def layer_norm(name: str, number: int, width: int) -> Iterator[Weight]:
    """So many norms with a bias."""
    yield from vector(name, number, width)
    yield from vector(f"{name}.bias", number, width)


def linear(name: str, number: int, rows: int, columns: int, bias: bool = True) -> Iterator[Weight]:
    """So many `nn.Linear`."""
    yield Weight(name, "linear", number, rows, columns)
    if bias:
        yield from vector(f"{name}.bias", number, rows)


def table(name: str, rows: int, columns: int, bias: bool = False) -> Iterator[Weight]:
    """An embedding or a convolution, which bitsandbytes leaves as it is."""
    yield Weight(name, "kept", 1, rows, columns)
    if bias:
        yield from vector(f"{name}.bias", 1, rows)


def _sides(fields: Fields, field: str) -> tuple[int, int]:
    """Height and width: one number for both, or two."""
    both = fields.get(field)
    if isinstance(both, list | tuple):
        sides = fields.listed(field, int) or []
        if len(sides) != 2 or not all(1 <= side <= LARGEST for side in sides):
            raise fields.fail(field, "is not a list of two positive whole numbers")
        return sides[0], sides[1]
    side = fields.whole(field)
    return side, side


def _patches(fields: Fields) -> int:
    """Patches of an image of the size that the positions are for."""
    image, patch = _sides(fields, "image_size"), _sides(fields, "patch_size")
    return (image[0] // patch[0]) * (image[1] // patch[1])


def _patch_size(fields: Fields, channels: str = "num_channels") -> int:
    height, width = _sides(fields, "patch_size")
    return fields.whole(channels) * height * width


def _encoder(f: Fields, bias: bool) -> Iterator[Weight]:
    """CLIP's layers, which SigLIP and Idefics 3 have too; `bias` is of the convolution that embeds patches."""
    hidden, size, layers = f.whole("hidden_size"), f.whole("intermediate_size"), f.whole("num_hidden_layers")
    yield from table("patch_embedding", hidden, _patch_size(f), bias)
    for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
        yield from linear(name, layers, hidden, hidden)
    yield from linear("fc1", layers, size, hidden)
    yield from linear("fc2", layers, hidden, size)
    for name, number in (("layer_norm1", layers), ("layer_norm2", layers), ("post_layernorm", 1)):
        yield from layer_norm(name, number, hidden)


def _siglip(f: Fields) -> Iterator[Weight]:
    hidden, size = f.whole("hidden_size"), f.whole("intermediate_size")
    yield from _encoder(f, bias=True)
    yield from table("position_embedding", _patches(f), hidden)
    if "vision_use_head" in f.family.defaults and f.flag("vision_use_head"):
        yield from table("head.probe", 1, hidden)
        yield from table("head.in_proj", 3 * hidden, hidden, bias=True)
        yield from table("head.out_proj", hidden, hidden, bias=True)
        yield from layer_norm("head.layernorm", 1, hidden)
        yield from linear("head.fc1", 1, size, hidden)
        yield from linear("head.fc2", 1, hidden, size)


def _clip(f: Fields) -> Iterator[Weight]:
    hidden = f.whole("hidden_size")
    yield from _encoder(f, bias=False)
    yield from table("position_embedding", _patches(f) + 1, hidden)
    yield from vector("class_embedding", 1, hidden)
    yield from layer_norm("pre_layrnorm", 1, hidden)


def _pixtral(f: Fields) -> Iterator[Weight]:
    hidden, size, layers = f.whole("hidden_size"), f.whole("intermediate_size"), f.whole("num_hidden_layers")
    yield from table("patch_conv", hidden, _patch_size(f))
    for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
        yield from linear(name, layers, hidden, hidden, bias=False)
    yield from _gated(layers, hidden, size, bias=False)
    for name, number in (("attention_norm", layers), ("ffn_norm", layers), ("ln_pre", 1)):
        yield from vector(name, number, hidden)


def _gated(layers: int, hidden: int, size: int, bias: bool) -> Iterator[Weight]:
    yield from linear("gate_proj", layers, size, hidden, bias)
    yield from linear("up_proj", layers, size, hidden, bias)
    yield from linear("down_proj", layers, hidden, size, bias)


def _internvl(f: Fields) -> Iterator[Weight]:
    hidden, size, layers = f.whole("hidden_size"), f.whole("intermediate_size"), f.whole("num_hidden_layers")
    if f.flag("use_qk_norm") or f.flag("use_mask_token"):
        raise f.not_counted("use_qk_norm" if f.flag("use_qk_norm") else "use_mask_token", "true is not counted")
    yield from table("projection", hidden, _patch_size(f), bias=True)
    yield from vector("cls_token", 1, hidden)
    if f.flag("use_absolute_position_embeddings"):
        yield from table("position_embeddings", _patches(f) + 1, hidden)
    for name in ("q_proj", "k_proj", "v_proj"):
        yield from linear(name, layers, hidden, hidden, f.flag("attention_bias"))
    yield from linear("projection_layer", layers, hidden, hidden)
    yield from linear("fc1", layers, size, hidden)
    yield from linear("fc2", layers, hidden, size)
    for name in ("layernorm_before", "layernorm_after"):
        yield from layer_norm(name, layers, hidden)
    yield from vector("lambda_1", layers, hidden)
    yield from vector("lambda_2", layers, hidden)


def _qwen_attention(f: Fields, hidden: int) -> Iterator[Weight]:
    yield from linear("attn.qkv", f.whole("depth"), 3 * hidden, hidden)
    yield from linear("attn.proj", f.whole("depth"), hidden, hidden)


def _qwen_patches(f: Fields, hidden: int, bias: bool) -> Iterator[Weight]:
    size = _patch_size(f, "in_channels") * f.whole("temporal_patch_size")
    yield from table("patch_embed.proj", hidden, size, bias)


def _qwen2(f: Fields) -> Iterator[Weight]:
    hidden, depth = f.whole("embed_dim"), f.whole("depth")
    wide, merged = f.whole("mlp_ratio") * hidden, f.whole("spatial_merge_size") ** 2 * hidden
    yield from _qwen_patches(f, hidden, bias=False)
    yield from _qwen_attention(f, hidden)
    yield from linear("fc1", depth, wide, hidden)
    yield from linear("fc2", depth, hidden, wide)
    for name, number in (("norm1", depth), ("norm2", depth), ("merger.ln_q", 1)):
        yield from layer_norm(name, number, hidden)
    yield from linear("merger.mlp.0", 1, merged, merged)
    yield from linear("merger.mlp.2", 1, f.whole("hidden_size"), merged)


def _qwen2_5(f: Fields) -> Iterator[Weight]:
    hidden, depth, merged = f.whole("hidden_size"), f.whole("depth"), f.whole("spatial_merge_size") ** 2
    yield from _qwen_patches(f, hidden, bias=False)
    yield from _qwen_attention(f, hidden)
    yield from _gated(depth, hidden, f.whole("intermediate_size"), bias=True)
    for name, number in (("norm1", depth), ("norm2", depth), ("merger.ln_q", 1)):
        yield from vector(name, number, hidden)
    yield from linear("merger.mlp.0", 1, merged * hidden, merged * hidden)
    yield from linear("merger.mlp.2", 1, f.whole("out_hidden_size"), merged * hidden)


def _qwen3(f: Fields) -> Iterator[Weight]:
    hidden, depth, size = f.whole("hidden_size"), f.whole("depth"), f.whole("intermediate_size")
    merged, mergers = f.whole("spatial_merge_size") ** 2 * hidden, len(f.listed("deepstack_visual_indexes", int) or ())
    yield from _qwen_patches(f, hidden, bias=True)
    yield from table("pos_embed", f.whole("num_position_embeddings"), hidden)
    yield from _qwen_attention(f, hidden)
    yield from linear("linear_fc1", depth, size, hidden)
    yield from linear("linear_fc2", depth, hidden, size)
    for name, number, width in (("norm1", depth, hidden), ("norm2", depth, hidden), ("merger.norm", 1, hidden)):
        yield from layer_norm(name, number, width)
    for name, number in (("merger", 1), ("deepstack", mergers)):
        if number:
            yield from linear(f"{name}.linear_fc1", number, merged, merged)
            yield from linear(f"{name}.linear_fc2", number, f.whole("out_hidden_size"), merged)
    if mergers:
        yield from layer_norm("deepstack.norm", mergers, merged)


def _glm(f: Fields) -> Iterator[Weight]:
    hidden, depth, out = f.whole("hidden_size"), f.whole("depth"), f.whole("out_hidden_size")
    yield from _qwen_patches(f, hidden, bias=True)
    yield from table("position_embedding", _patches(f), hidden)
    yield from linear("attn.qkv", depth, 3 * hidden, hidden, f.flag("attention_bias"))
    yield from linear("attn.proj", depth, hidden, hidden, bias=False)
    yield from _gated(depth, hidden, out, bias=False)
    for name, number in (("norm1", depth), ("norm2", depth), ("post_conv_layernorm", 1), ("post_layernorm", 1)):
        yield from vector(name, number, hidden)
    yield from table("downsample", out, f.whole("spatial_merge_size") ** 2 * hidden, bias=True)
    yield from linear("merger.proj", 1, out, out, bias=False)
    yield from layer_norm("merger.post_projection_norm", 1, out)
    yield from (
        Weight(f"merger.{one.name}", one.kind, 1, one.rows, one.columns)
        for one in _gated(1, out, f.whole("intermediate_size"), bias=False)
    )


def _gemma4(f: Fields) -> Iterator[Weight]:
    hidden, layers, width = f.whole("hidden_size"), f.whole("num_hidden_layers"), f.whole("head_dim")
    query, key = f.whole("num_attention_heads") * width, f.whole("num_key_value_heads") * width
    yield from linear("input_proj", 1, hidden, 3 * f.whole("patch_size") ** 2, bias=False)
    yield from table("position_embedding_table", 2 * f.whole("position_embedding_size"), hidden)
    for name, rows in (("q_proj", query), ("k_proj", key), ("v_proj", key)):
        yield from linear(f"{name}.linear", layers, rows, hidden, bias=False)
    yield from linear("o_proj.linear", layers, hidden, query, bias=False)
    yield from vector("q_norm", layers, width)
    yield from vector("k_norm", layers, width)
    for one in _gated(layers, hidden, f.whole("intermediate_size"), bias=False):
        yield Weight(f"{one.name}.linear", one.kind, layers, one.rows, one.columns)
    for name in ("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm"):
        yield from vector(name, layers, hidden)
    yield from vector("post_feedforward_layernorm", layers, hidden)


def _gemma4_unified(f: Fields) -> Iterator[Weight]:
    width = f.whole("mm_embed_dim")
    patch = 3 * (f.whole("patch_size") * f.whole("pooling_kernel_size")) ** 2
    yield from layer_norm("patch_ln1", 1, patch)
    yield from linear("patch_dense", 1, width, patch)
    yield from layer_norm("patch_ln2", 1, width)
    yield from table("pos_embedding", 2 * f.whole("mm_posemb_size"), width)
    yield from layer_norm("pos_norm", 1, width)


def _voxtral(f: Fields) -> Iterator[Weight]:
    hidden, size, layers = f.whole("hidden_size"), f.whole("intermediate_size"), f.whole("num_hidden_layers")
    yield from table("conv1", hidden, 3 * f.whole("num_mel_bins"), bias=True)
    yield from table("conv2", hidden, 3 * hidden, bias=True)
    yield from table("embed_positions", f.whole("max_source_positions"), hidden)
    for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
        yield from linear(name, layers, hidden, hidden, bias=name != "k_proj")
    yield from linear("fc1", layers, size, hidden)
    yield from linear("fc2", layers, hidden, size)
    for name, number in (("self_attn_layer_norm", layers), ("final_layer_norm", layers), ("layer_norm", 1)):
        yield from layer_norm(name, number, hidden)


TOWERS: Mapping[str, Callable[[Fields], Iterator[Weight]]] = {
    "siglip_vision_model": _siglip, "clip_vision_model": _clip, "idefics3_vision": _siglip, "smolvlm_vision": _siglip,
    "pixtral": _pixtral, "internvl_vision": _internvl, "qwen2_vl_vision": _qwen2, "qwen2_5_vl_vision": _qwen2_5,
    "qwen3_vl_vision": _qwen3, "qwen3_vl_moe_vision": _qwen3, "glm4v_vision": _glm, "gemma4_vision": _gemma4,
    "gemma4_unified_vision": _gemma4_unified, "voxtral_encoder": _voxtral,
}  # fmt: skip
