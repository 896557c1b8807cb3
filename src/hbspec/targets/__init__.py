"""Targets: each is a module of this folder, found by its file name; their shared code is in the subfolders.

The same spec gives the same bytes: a target uses neither the clock nor the network.
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
    """The names of all targets, in alphabetical order. Targets are not loaded."""
    return tuple(sorted(found.name for found in iter_modules(__path__) if not found.ispkg))


def target_of(name: str) -> Target[Any]:
    """The target with this name.

    Raises:
        ValueError: no target has this name.
    """
    if name not in names():
        raise ValueError(f"unknown target {name!r}; choose one of {', '.join(names())}")
    target: Target[Any] = import_module(f"{__name__}.{name}").TARGET
    return target
