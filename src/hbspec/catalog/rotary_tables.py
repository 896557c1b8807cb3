"""The tables of rotary angles that an engine keeps beside the weights, by the positions that they hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.catalog.config_fields import Fields
from hbspec.catalog.layers import WITHOUT_ATTENTION

STRETCHED = ("linear", "dynamic")
"""Kinds of scaling whose table is as many times longer as angles are scaled by."""

MOST_STRETCHED = 1024
"""Above it no model is; a config is untrusted."""

OF_IMAGES = 4
"""How many times longer a table is whose positions are those of images too."""


def positions_of(fields: Fields, layer_types: tuple[str, ...]) -> dict[str, Any]:
    """The model's positions, and those that the tables of rotary angles of vLLM hold together.

    A table has the model's positions, times the factor of linear and dynamic scaling (`linear_scaling_rope.py` and
    `dynamic_ntk_scaling_rope.py` in vllm/model_executor/layers/rotary_embedding), and four times as many where
    positions of images are among them (`mrope.py`). Layers of another kind of attention have their own where their
    base frequencies differ, which is not scaled unless the config says so by kind. Left out: what the short table of
    `longrope` takes.

    Args:
        fields: of the config.
        layer_types: of each layer.

    Raises:
        ArchitectureError: the number of positions is missing or not one.
    """
    positions = fields.whole("max_position_embeddings")
    said = fields.config.get("rope_parameters") or fields.config.get("rope_scaling")
    scaling = said if isinstance(said, Mapping) else {}
    kinds = sorted({*layer_types} - WITHOUT_ATTENTION) if fields.family.rotations_by_kind else []
    of_kinds = [scaling[kind] for kind in kinds if isinstance(scaling.get(kind), Mapping)]
    tables = of_kinds or [scaling, *[{}] * (len(kinds) - 1)]
    tabulated = sum(round(positions * _times(table)) for table in tables)
    return {"max_position_embeddings": positions, "tabulated_positions": tabulated}


def _times(scaling: Mapping[str, Any]) -> float:
    """How many times as many positions as the model's are in a table."""
    kind, factor = scaling.get("rope_type", scaling.get("type")), scaling.get("factor")
    longer = factor if kind in STRETCHED and isinstance(factor, int | float) and 1 <= factor <= MOST_STRETCHED else 1.0
    return longer * (OF_IMAGES if "mrope_section" in scaling else 1)
