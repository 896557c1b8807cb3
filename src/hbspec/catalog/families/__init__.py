"""The differences between the supported model families, and the defaults that transformers applies to each.

Source: transformers 5.23.0, `models/*/configuration_*.py` (defaults) and `modeling_*.py` (structure). The tests compare
every default with the config classes, and every structure with the models built from them.
"""

from __future__ import annotations

from collections.abc import Mapping

from hbspec.catalog.families.convolved import CONVOLVED
from hbspec.catalog.families.dense import DENSE
from hbspec.catalog.families.family import Family
from hbspec.catalog.families.gemma4 import GEMMA4
from hbspec.catalog.families.hybrids import HYBRIDS
from hbspec.catalog.families.latent import LATENT
from hbspec.catalog.families.layer_norms import LAYER_NORMS
from hbspec.catalog.families.mixtures import MIXTURES
from hbspec.catalog.families.state_spaces import STATE_SPACES
from hbspec.catalog.families.wrappers import INNER, WRAPPERS, Wrapper

__all__ = ["ALIASES", "ALONE", "FAMILIES", "SUPPORTED", "WRAPPERS", "Family", "Wrapper"]

_WITH_STATES = {**HYBRIDS, **STATE_SPACES, **CONVOLVED}

ALONE: Mapping[str, Family] = {**DENSE, **LAYER_NORMS, **MIXTURES, **_WITH_STATES, **GEMMA4, **LATENT}
"""Every language model that is counted by itself."""

FAMILIES: Mapping[str, Family] = {**ALONE, **INNER}
"""Every language model that is counted, those that only wrappers hold among them."""

ALIASES: Mapping[str, str] = {"kimi_k2": "deepseek_v3"}
"""Types that transformers does not know, whose layers are those of another one."""

SUPPORTED = tuple(sorted({*ALONE, *WRAPPERS, *ALIASES}))
"""Every `model_type` of a config.json that is counted."""
