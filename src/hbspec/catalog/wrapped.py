"""The language model inside a wrapper's `config.json`, and its head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.catalog.config_fields import ArchitectureError, Fields, shown
from hbspec.catalog.families import ALONE, FAMILIES, WRAPPERS, Wrapper
from hbspec.catalog.families.wrappers import EITHER, INNER_ONLY, NEVER, OUTER


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


def tied(fields: Fields, wrapper: Mapping[str, Any]) -> bool:
    """Whether head and embedding are one weight; a wrapper has the last word, where it does not leave it to the inner.

    Some classes of wrappers tie by default, but a checkpoint that has a head keeps it (transformers 5.23.0,
    `modeling_utils.py`, `tie_weights`): a wrapper that does not say it is as its language model.
    """
    outer = wrapper.get("tie_word_embeddings")
    inner = fields.flag("tie_word_embeddings")
    by = WRAPPERS[wrapper["model_type"]].tied if wrapper else OUTER
    if by in (NEVER, INNER_ONLY) or not isinstance(outer, bool):
        return by != NEVER and inner
    return outer or (by == EITHER and inner)
