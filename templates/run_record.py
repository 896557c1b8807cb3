"""The record of a run, `run.json`: whose it is, and how what was counted gets there.

Only the standard library is imported, so that another's file is refused before anything heavy is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from documents import UNREADABLE, load, saying_room, store
from fingerprint import PACKAGES, Fingerprint, all_differences, is_same, mark
from manifest import readable
from settings import RUN_FILE, Folders, Invocation, RefusedError

COUNTED = (
    "resumed_from_step", "updates", "last_step", "examples_per_update", "examples_of_each_update", "examples_consumed",
    "examples_distinct", "rows_consumed", "completions_generated", "completions_of_each_update",
    "checkpoints", "first_loss", "last_loss",
)  # fmt: skip
"""What a start of the run counts while it trains."""


def refuse_other_record(folder: Path, mine: Fingerprint) -> None:
    """Ends a run whose record would be written over a file that it has not written.

    Args:
        folder: where the record belongs.
        mine: what the run learns from.

    Raises:
        RefusedError: with the file, and in what the run that wrote it differs.
    """
    path = folder / RUN_FILE
    if not os.path.lexists(path):
        return
    action = "move it away, or let this run write into another folder"
    theirs = _author(_before(folder))
    if theirs is None:
        raise RefusedError([f"{path} does not say that this run wrote it: {action}"])
    if not is_same(theirs, mine):
        said = f"{path} was written by another run, which learned something else: {action}"
        raise RefusedError([said, *all_differences(theirs, mine)])


def write_record(invocation: Invocation, mine: Fingerprint, found: Mapping[str, Any]) -> None:
    """Writes the record, whole or not at all.

    A start that trained no update leaves what the start before it counted.

    Raises:
        RefusedError: another file was put there meanwhile.
    """
    folder = invocation.folders.output_data_dir
    refuse_other_record(folder, mine)
    before = _before(folder)
    if found["updates"] == 0 and before.get("last_step") == found["last_step"]:
        found = {**found, **{name: before[name] for name in COUNTED if name in before}}
    versions = {package: version(package) for package in PACKAGES}
    told = {"settings": asdict(invocation.settings), "versions": versions, **found, "fingerprint": mine}
    with saying_room(folder):
        folder.mkdir(parents=True, exist_ok=True)
        store(folder / RUN_FILE, told)


def own_folder() -> Path:
    """Where the record of a run of your own script belongs, if the folder is there."""
    return Path(os.environ.get("SM_OUTPUT_DATA_DIR") or Folders().output_data_dir)


def write_own(told: Mapping[str, Any]) -> list[str]:
    """Writes the record of such a run; else says why not: the script has put another file there."""
    folder = own_folder()
    try:
        refuse_other_record(folder, told["fingerprint"])
    except RefusedError as refused:
        return list(refused.problems)
    if folder.is_dir():
        store(folder / RUN_FILE, told)
    return []


def introduction(invocation: Invocation, mine: Fingerprint) -> dict[str, Any]:
    """Which run this is, for whoever reads its log."""
    return {
        "job": os.environ.get("TRAINING_JOB_NAME"),
        "mark": mark(mine),
        "tiny": invocation.folders.tiny,
        "settings": asdict(invocation.settings),
        "software": {package: version(package) for package in PACKAGES},
    }


def _before(folder: Path) -> dict[str, Any]:
    try:
        return load(folder / RUN_FILE)
    except UNREADABLE:
        return {}


def _author(content: Mapping[str, Any]) -> Fingerprint | None:
    try:
        return readable(content)
    except UNREADABLE:
        return None
