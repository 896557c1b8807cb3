"""torchtune at commit bd2a0fc7: the keys of its recipes, what they influence, and the models of its builders."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from hbspec.frontends.reading.influence import ProgramKeys, influences
from hbspec.frontends.reading.pinned import pinned

PROGRAM = "torchtune"
MODELS = Path(__file__).with_name("torchtune_models.csv")


def fields() -> ProgramKeys:
    """The keys of its recipes, and the arguments of its own components."""
    known = frozenset(pinned(PROGRAM)["fields"])
    title = f"torchtune (its recipes, {pinned(PROGRAM)['version'][:8]})"
    return ProgramKeys(title, known, influences(PROGRAM), nested=True)


@cache
def model_of_builder() -> Mapping[str, str]:
    """The catalog's model by the name of the function that builds it, without `lora_` and `qlora_`."""
    with MODELS.open(encoding="utf-8", newline="") as lines:
        return {row["builder"]: row["model"] for row in csv.DictReader(lines)}
