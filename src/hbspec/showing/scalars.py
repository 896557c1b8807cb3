"""Plain values and lists of words as an author would write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hbspec.language import phrase
from hbspec.showing.invisible import printable


def scalar_text(value: Any) -> str:
    """A plain value as YAML spells it.

    >>> scalar_text(True), scalar_text(2), scalar_text("fsdp")
    ('true', '2', 'fsdp')
    """
    return str(value).lower() if isinstance(value, bool) else printable(str(value))


def listed(words: Sequence[str]) -> str:
    """The words with commas and an "and".

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    most, last = ", ".join(words[:-1]), "".join(words[-1:])
    return phrase("{most} and {last}", most=most, last=last) if most else last
