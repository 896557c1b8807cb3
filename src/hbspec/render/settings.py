"""Values of a spec as an author would write them."""

from __future__ import annotations

from typing import Any

from hbspec.search.changes import Change
from hbspec.source.excerpts import printable


def settings_text(change: Change) -> str:
    """What to write, key by key, and what to delete."""
    return ", ".join(
        f"no {key}" if value is None else f"{key}: {scalar_text(value)}" for key, value in change.to_dict().items()
    )


def scalar_text(value: Any) -> str:
    """A plain value in YAML's spelling.

    >>> scalar_text(True), scalar_text(2), scalar_text("fsdp")
    ('true', '2', 'fsdp')
    """
    return str(value).lower() if isinstance(value, bool) else printable(str(value))
