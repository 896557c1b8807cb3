"""axolotl 0.19.0: its name, its keys, and the plugins whose keys are known."""

from __future__ import annotations

from hbspec.frontends.reading.influence import SHARED, ProgramKeys, influences
from hbspec.frontends.reading.pinned import pinned, title

PROGRAM = "axolotl"
PLUGINS = (
    *("cut_cross_entropy", "liger", "kernels", "spectrum", "kd.", "llm_compressor", "lm_eval", "diffusion", "swanlab"),
    *("densemixer", "expert_parallel", "grokfast", "hatchery", "mora", "nemo_gym"),
)
"""Folders of `integrations`, each of which does what its keys say."""


def fields() -> ProgramKeys:
    """The keys of axolotl, and what they influence."""
    known = frozenset(pinned(PROGRAM)["fields"])
    return ProgramKeys(title(PROGRAM, "axolotl"), known, influences(SHARED, PROGRAM))
