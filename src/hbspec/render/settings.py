"""Values of a spec as an author would write them."""

from __future__ import annotations

from hbspec.analysis.change import Change
from hbspec.language import apart, spoken
from hbspec.showing.scalars import listed, scalar_text


def settings_text(change: Change) -> str:
    """`"set a.b=1 and a.c=2; remove a.d"`: the values to write and the keys to delete."""
    removed = listed([key for key, value in change.to_dict().items() if value is None])
    parts = {"set": assignments(change), "remove": removed}
    return apart([f"{spoken(verb)} {keys}" for verb, keys in parts.items() if keys])


def assignments(change: Change) -> str:
    """The values of a change that are written, as `--set` takes each: `"a.b=1 and a.c=2"`."""
    return listed([f"{key}={scalar_text(value)}" for key, value in change.to_dict().items() if value is not None])
