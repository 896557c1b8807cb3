"""A spec as it would be read with single values changed in its text."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from hbspec.diagnostics import Renamed, Route
from hbspec.source.document import Document
from hbspec.source.edited import EditError, edited
from hbspec.source.load import NOTHING, load
from hbspec.source.problems import SourceError


def edited_document(
    document: Document, settings: Mapping[Route, Any], unsaved: Mapping[Path, str] = NOTHING
) -> Document:
    """The spec with these values, read from its changed text; nothing is written.

    Args:
        document: the spec, read from a file and without overrides.
        settings: plain scalars by route; None deletes the key, `Renamed` gives it another name.
        unsaved: as in `load`.

    Raises:
        EditError: the text cannot be changed so that it holds these values and no others.
    """
    text = edited(document, settings)
    try:
        found = load(document.file, allow_outside=document.allow_outside, text=text, unsaved=unsaved)
    except SourceError as invalid:
        raise EditError(str(invalid)) from None
    if _without_empty(found.values) != _without_empty(with_settings(document.values, settings)):
        raise EditError("an anchor, an alias or `extends` shares a value with another key")
    return found


def with_settings(values: Mapping[str, Any], settings: Mapping[Route, Any]) -> dict[str, Any]:
    """The values of a spec with others at some routes; None deletes the key, `Renamed` gives it another name."""
    changed: dict[str, Any] = deepcopy(dict(values))
    for route, value in settings.items():
        section: Any = changed
        for step in route[:-1]:
            section = section.setdefault(step, {}) if isinstance(section, dict) else section[step]
        if isinstance(value, Renamed):
            section[value.key] = section.pop(route[-1])
        elif value is None:
            section.pop(route[-1], None)
        else:
            section[route[-1]] = value
    return changed


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values without sections that have no keys, which say nothing."""
    return {key: value for key, value in values.items() if value != {}}
