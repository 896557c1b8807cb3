"""LLaMA-Factory 0.9.5: its name in the table of defaults, and its keys."""

from __future__ import annotations

from hbspec.frontends.reading.influence import SHARED, ProgramKeys, influences
from hbspec.frontends.reading.pinned import pinned, title

PROGRAM = "llamafactory"
MEGATRON = frozenset(("tensor_model_parallel_size", "pipeline_model_parallel_size"))
"""Keys that it hands to mcore-adapter, which are none of its own."""


def fields() -> ProgramKeys:
    """The keys of LLaMA-Factory, and what they influence."""
    known = frozenset(pinned(PROGRAM)["fields"]) | MEGATRON
    return ProgramKeys(title(PROGRAM, "LLaMA-Factory"), known, influences(SHARED, PROGRAM))
