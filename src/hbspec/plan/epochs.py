"""Since which version a library behaves as it does now, where that decides memory, speed or what is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple


class Epoch(NamedTuple):
    """A change of a library's behaviour: the first release, as (major, minor), that has it."""

    package: str
    since: tuple[int, int]

    def is_in(self, software: Mapping[str, str]) -> bool:
        """Whether versions by package (`{"transformers": "5.23.0"}`) have the change; `main` has every change."""
        version = release(software[self.package])
        return version is None or version >= self.since


def release(version: str) -> tuple[int, int] | None:
    """The first two numbers of a version; None if it has none.

    >>> release("v4.57.0rc1"), release("5"), release("main")
    ((4, 57), (5, 0), None)
    """
    numbers = [int(number) for number in re.findall(r"\d+", version)]
    if not numbers:
        return None
    first, second, *_ = (*numbers, 0)
    return first, second


FUSED_EXPERTS = Epoch("transformers", (5, 0))
"""A layer's experts are one 3-dimensional parameter, which bitsandbytes does not quantise; before, they were linear
modules, which it did (`integrations/bitsandbytes.py`, `replace_with_bnb_linear`)."""

UNFUSED_TRANSFORMERS = "4.57.0"
"""A version of transformers before `FUSED_EXPERTS`."""

NON_REENTRANT = Epoch("transformers", (5, 0))
"""Gradient checkpointing recomputes a layer only up to its last saved tensor (`use_reentrant=False`)."""

LOSS_COPIED_ONCE = Epoch("transformers", (4, 46))
"""The loss makes one float32 copy of the logits (`loss/loss_utils.py`); before, models upcast them themselves, and made
a contiguous shifted copy too."""

SDPA_REFUSED = Epoch("transformers", (5, 0))
"""Loading stops where `sdpa` is asked for and the model does not support it."""

INPUTS_DROPPED = Epoch("bitsandbytes", (0, 43))
"""`MatMul4Bit` no longer keeps its input where only the weight is needed. Inferred from litgpt's published peaks."""
