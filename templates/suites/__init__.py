"""The suites of an evaluation: what is asked of a model, and how its answers are scored.

    for item in suite("mathematical-accuracy").items(seed=0, count=200):
        ...

Only the standard library is imported: a job has neither hbspec nor its dependencies.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from . import tool_usage
from .items import Item, Scored, Suite, SuiteError
from .mathematical_accuracy import MathematicalAccuracy
from .reasoning_quality import ReasoningQuality
from .response_consistency import ResponseConsistency

__all__ = ["FROM_DATA", "GENERATED", "Item", "Scored", "Suite", "SuiteError", "suite"]

GENERATED: dict[str, Callable[[], Suite]] = {
    "mathematical-accuracy": MathematicalAccuracy,
    "reasoning-quality": ReasoningQuality,
    "response-consistency": ResponseConsistency,
}
"""The suites whose items are generated, by name."""


FROM_DATA = ("tool-usage",)
"""The suites whose items are the author's held-out conversations."""


def suite(name: str, folder: Path | None = None, cases: Path | None = None, training: Path | None = None) -> Suite:
    """A suite by its name.

    Args:
        name: as it is written under `evaluation:`.
        folder: where the files of suites are looked for, where `cases` names none: `validation.jsonl` for tool-usage.
        cases: the file of the suite's cases, `data` under `evaluation:`.
        training: the training split, for tool-usage to tell the prompts that training has seen; without it,
            `train.jsonl` in `folder`, where that exists.

    Raises:
        SuiteError: there is none of this name, or its file cannot be used.
    """
    if name == tool_usage.NAME:
        if cases is None and folder is None:
            raise SuiteError(f"{name} has no cases: {tool_usage.ACTION}")
        beside = None if folder is None else folder / "train.jsonl"
        learnt = training or (beside if beside is not None and beside.is_file() else None)
        return tool_usage.load(cases or Path(folder or "", "validation.jsonl"), learnt)
    if name in GENERATED:
        return GENERATED[name]()
    raise SuiteError(f"the suite {name!r} does not exist: use one of {', '.join([*GENERATED, *FROM_DATA])}")
