"""The language model inside a wrapper's `config.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.catalog.config_fields import ArchitectureError, Fields, shown
from hbspec.catalog.families import ALONE, FAMILIES, Wrapper


def language_model(config: Mapping[str, Any], model_type: str, wrapper: Wrapper) -> tuple[Fields, str]:
    """The fields of a wrapper's language model, and its type.

    Raises:
        ArchitectureError: there is none, or one of a type that the wrapper does not hold or that is not counted.
    """
    inner = config.get("text_config")
    if inner is None and wrapper.flat:
        return Fields(config, FAMILIES[wrapper.text], ""), wrapper.text
    if not isinstance(inner, Mapping):
        raise ArchitectureError("text_config", f"is missing; a {model_type} config holds its language model there")
    text_type = inner.get("model_type", wrapper.text)
    known = ALONE if wrapper.others is None else (wrapper.text, *wrapper.others)
    if not isinstance(text_type, str) or text_type not in known:
        held = "any that is supported alone" if wrapper.others is None else " or ".join(known)
        message = f"{shown(text_type)} is not {held}, which {model_type} holds"
        raise ArchitectureError("text_config.model_type", message, not_modelled=isinstance(text_type, str))
    return Fields({**wrapper.inside, **inner}, FAMILIES[text_type], "text_config."), text_type
