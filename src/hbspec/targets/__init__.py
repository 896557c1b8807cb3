"""Targets: one module of this folder each, found by its file name; what they share is in the folders beside them.

Same spec, same bytes: a target uses no clock and no network.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hbspec.targets.lowering.target import Target

DEFAULT = "sagemaker"


@cache
def names() -> tuple[str, ...]:
    """The name of every target, in alphabetical order. No target is loaded."""
    return tuple(sorted(found.name for found in iter_modules(__path__) if not found.ispkg))


def target_of(name: str) -> Target[Any]:
    """The target of a name.

    Raises:
        ValueError: no target has this name.
    """
    if name not in names():
        raise ValueError(f"unknown target {name!r}; choose one of {', '.join(names())}")
    target: Target[Any] = import_module(f"{__name__}.{name}").TARGET
    return target
