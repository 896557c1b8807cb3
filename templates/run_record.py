"""The record of a run, `run.json`: whose it is, and how what was counted gets there.

Only the standard library is imported, so that another's file is refused before anything heavy is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from documents import UNREADABLE, load, saying_room, store
from fingerprint import PACKAGES, Fingerprint, all_differences, is_same, mark
from manifest import readable
from settings import RUN_FILE, Invocation, RefusedError

COUNTED = (
    "resumed_from_step", "updates", "last_step", "examples_per_update", "examples_of_each_update", "examples_consumed",
    "examples_distinct", "rows_consumed", "completions_generated", "completions_of_each_update",
    "checkpoints", "first_loss", "last_loss",
)  # fmt: skip
"""What a start of the run counts while it trains."""


def refuse_other_record(invocation: Invocation, mine: Fingerprint) -> None:
    """Ends a run whose record would be written over a file that it has not written.

    Raises:
        RefusedError: with the file, and in what the run that wrote it differs.
    """
    path = invocation.folders.output_data_dir / RUN_FILE
    if not os.path.lexists(path):
        return
    action = "pass another --output-data-dir, or move it away"
    theirs = _author(_before(invocation))
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
    refuse_other_record(invocation, mine)
    before = _before(invocation)
    if found["updates"] == 0 and before.get("last_step") == found["last_step"]:
        found = {**found, **{name: before[name] for name in COUNTED if name in before}}
    versions = {package: version(package) for package in PACKAGES}
    told = {"settings": asdict(invocation.settings), "versions": versions, **found, "fingerprint": mine}
    folder = invocation.folders.output_data_dir
    with saying_room(folder):
        folder.mkdir(parents=True, exist_ok=True)
        store(folder / RUN_FILE, told)


def introduction(invocation: Invocation, mine: Fingerprint) -> dict[str, Any]:
    """Which run this is, for whoever reads its log."""
    return {
        "job": os.environ.get("TRAINING_JOB_NAME"),
        "mark": mark(mine),
        "tiny": invocation.folders.tiny,
        "settings": asdict(invocation.settings),
        "software": {package: version(package) for package in PACKAGES},
    }


def _before(invocation: Invocation) -> dict[str, Any]:
    try:
        return load(invocation.folders.output_data_dir / RUN_FILE)
    except UNREADABLE:
        return {}


def _author(content: Mapping[str, Any]) -> Fingerprint | None:
    try:
        return readable(content)
    except UNREADABLE:
        return None
