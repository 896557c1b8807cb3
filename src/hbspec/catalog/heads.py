"""The heads of attention: how many there are, how wide they are, and how much of each is rotated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from hbspec.catalog.config_fields import Fields
from hbspec.catalog.latent_attention import latent_attention_of


class Heads(NamedTuple):
    """The heads of a layer.

    Attributes:
        number: of queries.
        key_values: of keys, and of values.
        width: numbers of each.
        projected: whether values are projected; else they are what keys are before these are normed.
    """

    number: int
    key_values: int
    width: int
    projected: bool = True

    @property
    def query_size(self) -> int:
        """Width of all queries per token."""
        return self.number * self.width

    @property
    def key_value_size(self) -> int:
        """Width of all keys per token, equal to the width of all values."""
        return self.key_values * self.width


class GlobalHeads(NamedTuple):
    """Heads of the layers that attend to everything, as in `Heads`."""

    key_values: int
    width: int
    projected: bool


def global_heads_of(fields: Fields) -> GlobalHeads:
    """Heads of the layers that attend to everything, where they differ from those of the others.

    The number of keys is read only where values are not projected (transformers 5.23.0,
    `models/gemma4/configuration_gemma4.py`).

    Raises:
        ArchitectureError: a field is not of its kind, or the heads do not divide.
    """
    projected, heads = not fields.flag("attention_k_eq_v"), fields.whole("num_attention_heads")
    usual = fields.optional_whole("num_key_value_heads") or heads
    keys = usual if projected else fields.optional_whole("num_global_key_value_heads") or usual
    if heads % keys:
        raise fields.fail("num_global_key_value_heads", f"{keys} does not divide num_attention_heads {heads}")
    return GlobalHeads(keys, fields.whole("global_head_dim"), projected)


def heads_of(fields: Fields, hidden: int) -> dict[str, Any]:
    """The numbers of heads, and the width of one."""
    heads = fields.whole("num_attention_heads")
    key_value_heads = 1 if fields.family.one_key else fields.optional_whole("num_key_value_heads") or heads
    if heads % key_value_heads:
        raise fields.fail("num_key_value_heads", f"{key_value_heads} does not divide num_attention_heads {heads}")
    if fields.family.latent:
        sizes = latent_attention_of(fields)
        return {
            "num_attention_heads": heads,
            "num_key_value_heads": key_value_heads,
            "head_dim": sizes.head,
            "rotary_size": sizes.qk_rope_head_dim,
        }
    head_dim = fields.optional_whole("head_dim")
    if (head_dim is None or fields.family.heads_divide_hidden) and hidden % heads:
        raise fields.fail("num_attention_heads", f"{heads} does not divide hidden_size {hidden}")
    width = head_dim or hidden // heads
    return {
        "num_attention_heads": heads,
        "num_key_value_heads": key_value_heads,
        "head_dim": width,
        "rotary_size": _rotary_size(fields, width),
    }


def _rotary_size(fields: Fields, width: int) -> int:
    """Numbers of a head that are rotated."""
    family, rope = fields.family, fields.config.get("rope_parameters")
    kind = fields.text("position_embedding_type") if family.unrotated == "unless said" else "rope"
    if family.learned is not None or kind != "rope":
        return 0
    if family.rotated_share is None:
        return width
    said = rope.get("partial_rotary_factor") if isinstance(rope, Mapping) else None
    said = fields.config.get(family.share_field) if said is None else said
    if family.share_field == "rotary_dim" and type(said) is int and 0 < said <= width:  # not a share, but a width
        return said
    return int(width * fields.checked_share(family.share_field, family.rotated_share if said is None else said))
