"""Values of a spec as an author would write them."""

from __future__ import annotations

from typing import Any

from hbspec.search.changes import Change
from hbspec.source.excerpts import printable


def settings_text(change: Change) -> str:
    """`"set a.b=1 and a.c=2; remove a.d"`: the values to write and the keys to delete."""
    removed = _listed([key for key, value in change.to_dict().items() if value is None])
    parts = {"set": assignments(change), "remove": removed}
    return "; ".join(f"{verb} {keys}" for verb, keys in parts.items() if keys)


def assignments(change: Change) -> str:
    """The values of a change that are written, as `--set` takes each: `"a.b=1 and a.c=2"`."""
    return _listed([f"{key}={scalar_text(value)}" for key, value in change.to_dict().items() if value is not None])


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def scalar_text(value: Any) -> str:
    """A plain value as YAML spells it.

    >>> scalar_text(True), scalar_text(2), scalar_text("fsdp")
    ('true', '2', 'fsdp')
    """
    return str(value).lower() if isinstance(value, bool) else printable(str(value))
