"""accelerate 1.15.0's configuration file: its keys, and what they influence."""

from __future__ import annotations

from hbspec.frontends.reading.influence import SHARED, ProgramKeys, influences
from hbspec.frontends.reading.pinned import pinned, title


def fields() -> ProgramKeys:
    """The keys of accelerate's file."""
    known = frozenset(pinned("accelerate")["fields"])
    return ProgramKeys(title("accelerate", "accelerate"), known, influences(SHARED, "accelerate"))
