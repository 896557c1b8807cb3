"""HyperPod's recipes at commit 26319955: the keys of those that are read, and what they influence."""

from __future__ import annotations

from hbspec.frontends.reading.influence import ProgramKeys, influences
from hbspec.frontends.reading.pinned import pinned

PROGRAM = "hyperpod"


def fields() -> ProgramKeys:
    """The keys of the public recipes, those inside mappings too; the programs may have more."""
    known = frozenset(pinned(PROGRAM)["fields"])
    title = f"HyperPod (its public recipes, {pinned(PROGRAM)['version'][:8]})"
    return ProgramKeys(title, known, influences(PROGRAM), nested=True, open=True)
