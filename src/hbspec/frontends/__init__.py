"""Front ends: files of other programs, read as specs. Each is a module of this folder, found by its file name.

Nothing of a file is run, and nothing but the files that are named is read.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hbspec.frontends.reading.front import FrontEnd


@cache
def names() -> tuple[str, ...]:
    """The names of all front ends, in alphabetical order. They are not loaded."""
    return tuple(sorted(found.name for found in iter_modules(__path__) if not found.ispkg))


def front_of(name: str) -> FrontEnd:
    """The front end with this name.

    Raises:
        ValueError: there is none.
    """
    if name not in names():
        raise ValueError(f"unknown program {name!r}; choose one of {', '.join(names())}")
    front: FrontEnd = import_module(f"{__name__}.{name}").FRONT
    return front
