"""The suites of an evaluation: what is asked of a model, and how its answers are scored.

    for item in suite("mathematical-accuracy").items(seed=0, count=200):
        ...

Only the standard library is imported: a job has neither hbspec nor its dependencies.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from pathlib import Path

from . import own_items, tool_usage
from .items import Item, Scored, Suite, SuiteError
from .mathematical_accuracy import MathematicalAccuracy
from .reasoning_quality import ReasoningQuality
from .response_consistency import ResponseConsistency

__all__ = ["FROM_DATA", "GENERATED", "LM_EVAL", "Item", "Scored", "Suite", "SuiteError", "suite"]

GENERATED: dict[str, Callable[[], Suite]] = {
    "mathematical-accuracy": MathematicalAccuracy,
    "reasoning-quality": ReasoningQuality,
    "response-consistency": ResponseConsistency,
}
"""The suites whose items are generated, by name."""


FROM_DATA = ("tool-usage",)
"""The suites whose items are the author's held-out conversations."""
LM_EVAL = "lm-eval:"
"""What the names of tasks of EleutherAI's lm-evaluation-harness begin with."""
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def suite(name: str, folder: Path | None = None, cases: Path | None = None, training: Path | None = None) -> Suite:
    """A suite by its name: a built-in one, or the user's own, of the items in a file.

    Args:
        name: as it is written under `evaluation:`.
        folder: where the files of suites are looked for, where `cases` names none: `validation.jsonl` for tool-usage,
            `NAME.jsonl` for a name that is not built in.
        cases: the file of the suite's cases, `data` under `evaluation:`. It takes the place of generated items, too.
        training: the training split, for tool-usage to tell the prompts that training has seen; without it,
            `train.jsonl` in `folder`, where that exists.

    Raises:
        SuiteError: there is none of this name, or its file cannot be used.
    """
    if name.startswith(LM_EVAL):
        task = name.removeprefix(LM_EVAL)
        raise SuiteError(
            f"{name}: tasks of lm-evaluation-harness are not run by this version: run `lm_eval --tasks {task}` against "
            "the endpoint, or write its items to a file of your own"
        )
    if name == tool_usage.NAME:
        return _tool_usage(folder, cases, training)
    if cases is not None:
        return own_items.load(name, cases)
    if name in GENERATED:
        return GENERATED[name]()
    beside = None if folder is None or not _FILE_NAME.fullmatch(name) else folder / f"{name}.jsonl"
    if beside is not None and beside.exists():
        return own_items.load(name, beside)
    built_in = [*GENERATED, *FROM_DATA]
    near = difflib.get_close_matches(name, built_in, n=1)
    looked = f"is not built in, and {beside} does not exist" if beside else "is not built in, and names no file"
    action = f"did you mean {near[0]}?" if near else f"use {', '.join(built_in)}, or name a file of items"
    raise SuiteError(f"the suite {name!r} {looked}: {action}")


def _tool_usage(folder: Path | None, cases: Path | None, training: Path | None) -> Suite:
    beside = None if folder is None else folder / "train.jsonl"
    learnt = training or (beside if beside is not None and beside.is_file() else None)
    if cases is None and folder is None:
        raise SuiteError(f"{tool_usage.NAME} has no cases: {tool_usage.ACTION}")
    return tool_usage.load(cases or Path(folder or "", "validation.jsonl"), learnt)
