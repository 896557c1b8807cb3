"""Names of modules that get adapters, as frameworks choose them."""

from __future__ import annotations

import re

from hbspec.catalog import Architecture, catalog
from hbspec.catalog.roles import target_module_names
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.foreign import ForeignKey

ROUTE = ("hyperparameters", "target_modules")
ALL = "all-linear"
BEFORE = ("", *(f"model.{of}layers.0.{part}." for of in ("", "language_model.") for part in ("self_attn", "mlp")))
"""What may stand before a module's name, for patterns that match whole names."""
PARTS = re.compile(r"[\w.]+")
REPEATED = re.compile(r"[+*}?]\)[+*{]")
"""A repetition of a repetition, which may take for ever to match."""


def architecture_of(model: ForeignKey | None) -> Architecture | None:
    """The architecture of a model that the catalog has by this name."""
    models = catalog().models
    name = model.text if model else ""
    return models[name].architecture if name in models else None


def every_linear(architecture: Architecture | None) -> str | tuple[str, ...]:
    """Every `nn.Linear` but the head; by their names where the model has experts that are not modules."""
    fused = architecture.family.fused_targets if architecture else ()
    if architecture is None or not fused:
        return ALL
    linear = tuple(name for name in target_module_names(architecture)[:-2] if name not in fused)
    return linear or ALL


def put_targets(building: Building, given: ForeignKey, architecture: Architecture | None) -> None:
    """Targets as the author wrote them: names, a word for all of them, or a pattern, which becomes the names it finds.

    A pattern of which nothing is found in a known model is not estimated: the default stands in its place.
    """
    if given.placeholder:
        building.not_filled_in(given)
    elif given.text in (ALL, "all"):
        building.put(ROUTE, given, every_linear(architecture))
    elif isinstance(given.value, list) or PARTS.fullmatch(given.text) or "," in given.text:
        building.put(ROUTE, given, list(given.texts))
    elif found := _found(given.text, architecture):
        building.put(ROUTE, given, found)
    elif architecture is None and _is_pattern(given.text):
        building.put(ROUTE, given, given.text)
    else:
        building.unread(given, "either", "names modules by a pattern")


def _is_pattern(text: str) -> bool:
    """Whether a text is a regular expression that can be tried."""
    if len(text) > 500 or REPEATED.search(text):
        return False
    try:
        re.compile(text)
    except re.error:
        return False
    return True


def _found(pattern: str, architecture: Architecture | None) -> list[str]:
    """The names that peft finds by a pattern, which has to match a module's whole name (`re.fullmatch`)."""
    if architecture is None or not _is_pattern(pattern):
        return []
    wanted = re.compile(pattern)
    names = target_module_names(architecture)[:-2]
    return [name for name in names if any(wanted.fullmatch(f"{before}{name}") for before in BEFORE)]
