"""What mixes tokens in the layers of a model, other than attention of the usual kind."""

from __future__ import annotations

from typing import Any

from hbspec.catalog.config_fields import Fields
from hbspec.catalog.heads import global_heads_of
from hbspec.catalog.latent_attention import latent_attention_of
from hbspec.catalog.layers import CONVOLUTION, HYBRID, LINEAR
from hbspec.catalog.linear_attention import linear_attention_of
from hbspec.catalog.short_convolution import short_convolution_of
from hbspec.catalog.state_space import state_space_of


def mixing_of(fields: Fields, layer_types: tuple[str, ...]) -> dict[str, Any]:
    """The sizes of what layers of some types have, by the name of the architecture's field; None where none has it.

    Raises:
        ArchitectureError: a field is not of its kind, or sizes do not divide.
    """
    linear = LINEAR in layer_types
    return {
        "linear_attention": linear_attention_of(fields) if linear else None,
        "state_space": state_space_of(fields) if linear or HYBRID in layer_types else None,
        "short_convolution": short_convolution_of(fields) if CONVOLUTION in layer_types else None,
        "global_heads": global_heads_of(fields) if fields.family.global_heads else None,
        "latent_attention": latent_attention_of(fields) if fields.family.latent else None,
    }
