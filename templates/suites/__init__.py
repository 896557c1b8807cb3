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

from . import case_files, own_items, tool_usage
from .items import Item, Scored, Suite, SuiteError
from .library_tasks import LM_EVAL, LibraryTask
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
TRAINING = "train.jsonl"
"""The training split beside the cases of tool-usage."""
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def suite(name: str, folder: Path | None = None, cases: Path | None = None, training: Path | None = None) -> Suite:
    """A suite by its name: a built-in one, a task of lm-evaluation-harness, or the user's own, of the items in a file.

    Args:
        name: as it is written under `evaluation:`.
        folder: where the file of the suite's cases is looked for, or the file itself: `validation.jsonl` for
            tool-usage, or all files of JSON lines where there is none and no `train.jsonl`; `NAME.jsonl` for any other,
            which takes the place of generated items where it exists. Of a task of lm-evaluation-harness, the folder of
            its YAML.
        cases: the file of the suite's cases, whatever its name.
        training: the training split, for tool-usage to tell the prompts that training has seen; without it,
            `train.jsonl` beside the cases, where that exists.

    Raises:
        SuiteError: there is none of this name, or its file cannot be used.
    """
    if name.startswith(LM_EVAL):
        return LibraryTask(name, folder)
    if folder is not None and not folder.exists():
        raise SuiteError(f"{name}: {folder} does not exist: name a file of items, or a folder that holds one")
    if cases is None and folder is not None:
        is_plain = _FILE_NAME.fullmatch(name) is not None
        beside = folder / ("validation.jsonl" if name == tool_usage.NAME else f"{name}.jsonl") if is_plain else folder
        cases = folder if folder.is_file() else beside if beside.is_file() else None
        if cases is None and name == tool_usage.NAME:
            cases = folder if _is_one_split(folder) else beside
    if name == tool_usage.NAME:
        if cases is None:
            raise SuiteError(f"{name} has no cases: {tool_usage.ACTION}")
        return tool_usage.load(cases, training or _existing(cases.with_name(TRAINING)))
    if cases is not None:
        return own_items.load(name, cases)
    if name in GENERATED:
        return GENERATED[name]()
    raise SuiteError(_unknown(name, folder))


def _is_one_split(folder: Path) -> bool:
    """Whether a folder holds JSON lines, none of which is the training split."""
    found = case_files.files_of(folder)
    return bool(found) and folder / TRAINING not in found


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None


def _unknown(name: str, folder: Path | None) -> str:
    """The message for a name that no suite has."""
    built_in = [*GENERATED, *FROM_DATA]
    near = difflib.get_close_matches(name, built_in, n=1)
    place = "" if folder is None else f", and {folder / f'{name}.jsonl'} is not a file"
    action = f"did you mean {near[0]}?" if near else f"use {', '.join(built_in)}, or name a file of items"
    return f"the suite {name!r} is not built in{place}: {action}"
