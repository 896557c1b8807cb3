"""Files that have keys of two programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hbspec.frontends import front_of, names

ENOUGH = 2
"""Keys of another program from which a file counts as of both: a single one may be a mistake."""


class Mixed(NamedTuple):
    """Another program, and those keys of a file that only it has."""

    program: str
    keys: tuple[str, ...]


def mixed(keys: Sequence[str], program: str) -> Mixed | None:
    """The program that has most of some keys, which `program` does not have; None if no other has `ENOUGH` of them."""
    if len(keys) < ENOUGH:
        return None
    fronts = [front for name in names() if (front := front_of(name)).program != program and not front.part]
    shared = [Mixed(front.program, tuple(key for key in keys if key in front.fields().known)) for front in fronts]
    most = max(shared, key=lambda one: len(one.keys), default=None)
    return most if most and len(most.keys) >= ENOUGH else None
