"""What the keys of a framework influence that a front end does not read."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import NamedTuple


class Unread(NamedTuple):
    """A key that influences memory: "less", "more" or "either" than is estimated without it, and what it does."""

    change: str
    does: str


class ProgramKeys(NamedTuple):
    """The keys of a framework.

    Attributes:
        program: its name in messages, with the version whose keys these are.
        known: every key.
        memory: those that influence memory.
        time: those that influence time only.
        aliases: keys of earlier versions, by the key that took their place.
    """

    program: str
    known: Set[str]
    memory: Mapping[str, Unread]
    time: Set[str]
    aliases: Mapping[str, str] = {}
