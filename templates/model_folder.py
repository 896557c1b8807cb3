"""The model folder: whose model lies there, and how a run's own takes its place as a whole.

A model is written into a hidden folder inside and moved up when it is complete, so that what lies in the folder is of
one model at any moment. Only the standard library is imported, so that a folder is refused before anything heavy is
loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import served_adapters
from documents import UNREADABLE, flush, load, store
from fingerprint import Fingerprint, all_differences, contents, is_same, mark, shown
from manifest import author, readable
from removal import remove
from settings import RUN_FILE, Invocation, RefusedError

AUTHOR = "hbspec-model.json"
"""In the model folder: the fingerprint of the run that wrote the model, its updates, and the `contents` of all."""

UNFINISHED = ".hbspec-unfinished"
"""What the name of an unfinished model begins with, see `unfinished`."""

BESIDE = (AUTHOR, RUN_FILE)
"""What this script itself puts beside a model, `RUN_FILE` where the output folder is the same."""

SAVED_SUFFIXES = (".bin", ".jinja", ".json", ".md", ".model", ".py", ".safetensors", ".tiktoken", ".txt")
SAVED_FOLDERS = ("additional_chat_templates", served_adapters.FOLDER)
"""What a model's save may write (transformers, peft, `served_adapters`). A folder that is in the way would be noticed
after training."""


class Place(NamedTuple):
    """A folder for a model, and the option that moves it."""

    folder: Path
    option: str


def place_of(invocation: Invocation) -> Place:
    """Where the trained model goes."""
    return Place(invocation.folders.model_dir, "--model-dir")


def refuse_other_model(place: Place, mine: Fingerprint) -> None:
    """Ends a run whose model would be mixed with files that this run has not written.

    Left alone are what is hidden, as no loader reads it, and folders, unless a file of the model may need their name.

    Raises:
        RefusedError: with what lies there, and in what the run that wrote it differs.
    """
    _refuse(place, _others(place.folder, mine), mine)


def _refuse(place: Place, others: list[str], mine: Fingerprint) -> None:
    if others:
        folder, option = place
        theirs = author(folder / AUTHOR)
        said = "holds files that this run has not written, or that were changed since"
        lines = all_differences(theirs, mine) if theirs else []
        action = f"pass another {option}, or empty this one"
        raise RefusedError([f"{option} {folder} {said} ({shown(others)}): {action}", *lines])


def refuse_shorter(place: Place, mine: Fingerprint, updates: int) -> None:
    """Ends a run whose model would take the place of the one that the same run delivered after more updates.

    Where the schedule does not depend on the run's end, a short trial is the same run as a long one.

    Args:
        place: where the model goes.
        mine: the run's fingerprint.
        updates: how many the model will have learnt from, those before a checkpoint that the run goes on from included.

    Raises:
        RefusedError: with both numbers.
    """
    folder, option = place
    try:
        before = load(folder / AUTHOR).get("updates")
    except UNREADABLE:
        return
    if isinstance(before, int) and before > updates and _written(folder, mine):
        said = (
            f"{option} {folder} holds the finished model of {before} updates, and this run would put one of {updates}"
        )
        raise RefusedError([f"{said} in its place: pass another {option}"])


def unfinished(folder: Path, mine: Fingerprint) -> Path:
    """Where in the model folder a run's model lies while it is written, or where a killed run left it.

    It is hidden, so no loader reads it, and inside, because a file moves at once only within its volume, and the folder
    may be one. Its name has a digest of what is learned, so that where file systems have no locks, no other run removes
    or delivers it.
    """
    return folder / f"{UNFINISHED}-{mark(mine)}"


def deliver(place: Place, mine: Fingerprint, updates: int | None = None) -> None:
    """Puts the unfinished model in the place of the one that this run delivered before, if any.

    Args:
        place: where it goes.
        mine: the run's fingerprint.
        updates: how many it was trained for; None for a model that is not trained.

    Raises:
        RefusedError: another model was put there meanwhile. The new one is left where it is.
        RuntimeError: the model that this run wrote is gone.
    """
    folder = place.folder
    written = unfinished(folder, mine)
    if not written.is_dir():
        raise RuntimeError(f"the model was written to {written}, and is gone: another program removed it")
    refuse_other_model(place, mine)
    flush(written)
    before, files = _written(folder, mine), contents(written)
    new = sorted(path.name for path in written.iterdir())
    _refuse(place, [name for name in new if name not in before and (folder / name).is_dir()], mine)
    # both, so that this run knows all files for its own, wherever it is killed in the next lines
    told = {"fingerprint": mine, "updates": updates, "files": files}
    replaced = {name: said for held in before.values() for name, said in held.items()}
    store(folder / AUTHOR, {**told, "before": replaced})
    for name in before:
        remove(folder / name)
    for name in new:
        (written / name).replace(folder / name)
    remove(written)
    store(folder / AUTHOR, {**told, "before": {}})


def _others(folder: Path, mine: Fingerprint) -> list[str]:
    """Names of the files in a folder, which may not exist, that this run has not written."""
    if not folder.is_dir():
        return []
    own = _written(folder, mine)
    found = (path for path in folder.iterdir() if not path.name.startswith(".") and path.name not in own)
    return sorted(path.name for path in found if _is_in_the_way(path))


def _is_in_the_way(path: Path) -> bool:
    if path.is_dir():
        return path.name in SAVED_FOLDERS or path.name.endswith(SAVED_SUFFIXES)
    return path.name not in BESIDE


def _written(folder: Path, mine: Fingerprint) -> dict[str, dict[str, str]]:
    """The `contents` of each file and folder in a folder that this run delivered, if nothing changed it since."""
    try:
        content = load(folder / AUTHOR)
        theirs = readable(content)
        if theirs is None or not is_same(theirs, mine):
            return {}
        signed = [_by_name(content[part]) for part in ("files", "before")]
        there = _by_name(contents(folder))
    except UNREADABLE:
        return {}
    return {name: held for name, held in there.items() if any(held == each.get(name) for each in signed)}


def _by_name(files: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """`contents` of a folder by the name of the file or folder directly in it."""
    found: dict[str, dict[str, str]] = {}
    for path, said in files.items():
        found.setdefault(path.partition("/")[0], {})[path] = said
    return found
