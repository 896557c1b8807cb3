"""The pinned keys of the frameworks, as `tools/generate_framework_fields.py` wrote them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "known"


@cache
def pinned(name: str) -> Mapping[str, Any]:
    """The file of a framework: its package, version and digest, and its `fields`."""
    found: Mapping[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


def title(name: str, program: str) -> str:
    """The program with the version whose keys are pinned, as in `axolotl 0.19.0`."""
    return f"{program} {pinned(name)['version']}"
