"""The manifest of a checkpoint: whether it is whole, and which run wrote it.

The manifest is written last and lists every file with its size, and small files with their SHA-256 digests. So a save
that was cut off, an incomplete copy and a file that was cut short or put there are seen. Imports no library.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

from completeness import LOADED, STATE, is_loaded, missing
from documents import UNREADABLE, flush, load, parsed, store
from fingerprint import Fingerprint, is_same, mark
from removal import inside, remove

MANIFEST = "hbspec.json"
"""In a checkpoint's folder: the run's fingerprint, the step, and the files."""

BEGUN = ".hbspec-begun-"
"""In a checkpoint's folder, before anything else, with the run's `mark`: it may delete it if the save is cut off."""

OWN = (BEGUN, f".{MANIFEST}.")
"""What hidden notes of this script beside the manifest begin with."""

DIGESTED_BYTES = 256 * 2**20
"""The digests of a checkpoint's smallest files are stored, up to this many bytes in total; of the others the size."""

MARKERS = (".sagemaker-uploading", ".sagemaker-uploaded")
"""Suffixes of files that SageMaker puts beside those that it copies to S3, and takes away again."""

NOBODYS = (".DS_Store", "Thumbs.db", "desktop.ini")
"""Files that file managers leave in every folder that they show."""

NAME = re.compile("checkpoint-([1-9][0-9]*)")
"""What the trainer calls a checkpoint (transformers' PREFIX_CHECKPOINT_DIR): the number is its last update."""

Files = Mapping[str, Mapping[str, Any]]
"""By path inside the checkpoint: `bytes`, and `sha256` where it was taken."""


def name_of(step: int) -> str:
    """The folder of the checkpoint after an update."""
    return f"checkpoint-{step}"


def step_of(checkpoint: Path) -> int:
    """The last update that a checkpoint holds, from its name."""
    return int(checkpoint.name.rpartition("-")[2])


def is_checkpoint(folder: Path) -> bool:
    """Whether a folder, which may not exist, is a checkpoint of this script or another program, or was begun as one."""
    return any((folder / name).is_file() for name in (MANIFEST, STATE)) or any(folder.glob(f"{BEGUN}*"))


def begin(checkpoint: Path, mine: Fingerprint) -> None:
    """Makes the folder of a checkpoint, and marks it as this run's."""
    checkpoint.mkdir(parents=True, exist_ok=True)
    (checkpoint / f"{BEGUN}{mark(mine)}").touch()


def is_foreign(checkpoint: Path, mine: Fingerprint) -> bool:
    """Whether a folder, which may not exist, holds something and neither manifest nor mark says that it is this run's.

    A link is not foreign: only the link is ever removed. A file is: no run makes one of such a name.
    """
    if checkpoint.is_symlink() or not checkpoint.is_dir():
        return os.path.lexists(checkpoint) and not checkpoint.is_symlink()
    names = [path.name for path in checkpoint.iterdir() if not path.name.endswith(MARKERS)]
    theirs = author(checkpoint / MANIFEST)
    if theirs is not None:
        return not is_same(theirs, mine)
    return bool(names) and f"{BEGUN}{mark(mine)}" not in names


def discard(checkpoint: Path) -> None:
    """Removes a checkpoint, its mark last: what a process leaves that is killed meanwhile is still known for its run's.

    Raises:
        OSError: something is still there.
    """
    if checkpoint.is_dir() and not checkpoint.is_symlink():
        for path in inside(checkpoint):
            if not path.name.startswith(BEGUN):
                remove(path)
    remove(checkpoint)


def added(checkpoint: Path) -> list[str]:
    """What a checkpoint holds besides the files that were saved: somebody put it there, and it is not this run's.

    So is a file that is never loaded, such as README.md, if it is not what was saved. Nothing where no save has ended
    with the manifest that is there, if any, or where only a link would be removed.
    """
    if checkpoint.is_symlink():
        return []
    try:
        content = load(checkpoint / MANIFEST)
        theirs, files = readable(content), content["files"]
        ended = theirs is not None and not any(missing(files, theirs))
        mine = set(_entries(checkpoint)) - _listed(files)
        mine |= {name for name in files if not is_loaded(name) and _differs(checkpoint / name, files[name])}
        return sorted(mine) if ended else []
    except UNREADABLE:
        return []


def differing(checkpoint: Path) -> list[str]:
    """What was `added`, and what is loaded and has another size than was saved.

    Content of the same size is left out: to read all that is loaded takes too long after each save.
    """
    names = added(checkpoint)
    try:
        files = {} if checkpoint.is_symlink() else load(checkpoint / MANIFEST)["files"]
        loaded = {name: {"bytes": entry["bytes"]} for name, entry in files.items() if is_loaded(name)}
        return sorted({*names, *(name for name in loaded if _differs(checkpoint / name, loaded[name]))})
    except UNREADABLE:
        return names


def contents(checkpoint: Path) -> dict[str, dict[str, Any]]:
    """Every file of a checkpoint: sizes in bytes, and digests from the smallest on, up to `DIGESTED_BYTES` together.

    Hidden files beside the manifest are not a save's. All is on the disk before it is listed.
    """
    flush(checkpoint)
    seen = (name for name in _entries(checkpoint) if "/" in name or not name.startswith("."))
    names = (name for name in seen if (checkpoint / name).is_file())
    found: dict[str, dict[str, Any]] = {name: {"bytes": (checkpoint / name).stat().st_size} for name in names}
    for name in _digested(found):
        found[name]["sha256"] = _digest(checkpoint / name)
    return found


def write_manifest(checkpoint: Path, mine: Fingerprint, files: Files) -> None:
    """Makes a checkpoint whole: after this, and not before, a run goes on from it.

    Args:
        checkpoint: its folder.
        mine: the run's fingerprint.
        files: the `contents` of the checkpoint on all hosts. Digests of more than the smallest are left out.

    Raises:
        RuntimeError: a file is not there without which the checkpoint cannot be resumed from.
    """
    lacking = list(missing(files, mine))
    if lacking:
        raise RuntimeError(f"the trainer saved {checkpoint} without {', '.join(lacking)}")
    digested = _digested(files)
    listed = {name: entry if name in digested else {"bytes": entry["bytes"]} for name, entry in files.items()}
    store(checkpoint / MANIFEST, {"step": step_of(checkpoint), "fingerprint": mine, "files": listed})


def damage(checkpoint: Path, *, digests: bool = True) -> str | None:
    """Why a checkpoint is not whole; None where it is.

    Args:
        checkpoint: its folder.
        digests: whether small files and the trainer's state are read; else sizes alone are compared.
    """
    try:
        content = load(checkpoint / MANIFEST)
        if content["step"] != step_of(checkpoint):
            return f"it was saved as {name_of(content['step'])}"
        theirs = readable(content)
        if theirs is None:
            return f"its {MANIFEST} does not say which run wrote it"
        return next(_damaged(checkpoint, content["files"], theirs, digests), None)
    except FileNotFoundError:
        return f"it has no {MANIFEST}, which is written last: the save was cut off"
    except UNREADABLE as reason:
        return f"its {MANIFEST} cannot be read: {reason}"


def stamps(checkpoint: Path) -> dict[str, tuple[int, int]]:
    """Size in bytes and time of the last change, in nanoseconds, of every file in a checkpoint, its manifest included.

    Raises:
        OSError: one is gone meanwhile.
    """
    names = [MANIFEST, *(name for name in _entries(checkpoint) if (checkpoint / name).is_file())]
    found = {name: (checkpoint / name).stat() for name in names}
    return {name: (about.st_size, about.st_mtime_ns) for name, about in found.items()}


def readable(content: Mapping[str, Any]) -> Fingerprint | None:
    """The fingerprint in a document; None where it is not one."""
    found: Fingerprint = content["fingerprint"]
    whole = all(isinstance(found[part], dict) for part in ("learned", "loaded", "noted"))
    return found if whole else None


def author(path: Path) -> Fingerprint | None:
    """The fingerprint of the run that wrote a document; None where the document says nothing that can be read."""
    try:
        return readable(load(path))
    except UNREADABLE:
        return None


def _digested(files: Files) -> set[str]:
    """Names of the files whose digests a manifest holds: from the smallest on, up to `DIGESTED_BYTES` together.

    Of the files of many hosts these are never more than each host chose of its own.
    """
    sizes = sorted((entry["bytes"], name) for name, entry in files.items())
    totals = accumulate(size for size, _ in sizes)
    return {name for (_, name), total in zip(sizes, totals, strict=True) if total <= DIGESTED_BYTES}


def _damaged(checkpoint: Path, files: Files, theirs: Fingerprint, digests: bool) -> Iterator[str]:
    there = set(_entries(checkpoint))
    digested = _digested(files)
    yield from (f"{name} is missing, and not listed in its {MANIFEST}" for name in missing(files, theirs))
    others = _loaded(checkpoint, sorted(there - _listed(files)))
    yield from (f"{name} is not listed in its {MANIFEST}, and would be loaded" for name in others)
    for name, entry in files.items():
        path = checkpoint / name
        if not is_loaded(name) and _is_inside(name):
            continue  # whatever it holds, nothing is taken from it
        if name not in there or not path.is_file():
            yield f"{name} is missing"
        elif path.stat().st_size != entry["bytes"]:
            yield f"{name} has {path.stat().st_size} bytes, but {entry['bytes']} were saved"
        elif name in digested and "sha256" not in entry:
            yield f"{name} has no SHA-256 digest in its {MANIFEST}"
        elif digests and name in digested and _digest(path) != entry["sha256"]:
            yield f"{name} is not what was saved: its SHA-256 digest differs"
    if digests:
        yield from _other_step(checkpoint)


def _is_inside(name: str) -> bool:
    return ".." not in Path(name).parts and not Path(name).is_absolute()


def _differs(path: Path, entry: Mapping[str, Any]) -> bool:
    """Whether something is there and not what was saved."""
    if not path.is_file() or path.stat().st_size != entry["bytes"]:
        return os.path.lexists(path)
    return "sha256" in entry and _digest(path) != entry["sha256"]


def _listed(files: Files) -> set[str]:
    """The files of a manifest, and the folders that they lie in."""
    return {*files, *(parent.as_posix() for name in files for parent in Path(name).parents)}


def _loaded(checkpoint: Path, names: Iterable[str]) -> Iterator[str]:
    """Those of names that are loaded for themselves, or that lead to folders which hold such."""
    for name in names:
        linked = checkpoint / name if (checkpoint / name).is_symlink() else None
        inside = [path.name for path in linked.iterdir()] if linked and linked.is_dir() else []
        if any(map(LOADED.fullmatch, (name, *inside))):
            yield name


def _other_step(checkpoint: Path) -> Iterator[str]:
    """The trainer goes on from the update in its state, whatever the folder is called."""
    try:
        step = parsed(checkpoint / STATE)["global_step"]
    except UNREADABLE as reason:
        yield f"its {STATE} cannot be read: {reason}"
        return
    if type(step) is not int or step != step_of(checkpoint):
        yield f"its {STATE} is of update {step}, its name of update {step_of(checkpoint)}"


def _entries(checkpoint: Path) -> Iterator[str]:
    """Paths of the files and folders in a checkpoint; links are not followed.

    A folder counts, since the trainer takes some for weights by their names alone. Left out: this script's own notes,
    SageMaker's markers, and what systems leave behind.
    """
    for place, folders, names in os.walk(checkpoint, onerror=_refuse):
        inside = Path(place).relative_to(checkpoint)
        if inside == Path():
            names = [name for name in names if name != MANIFEST and not name.startswith(OWN)]
        yield from ((inside / name).as_posix() for name in folders)
        yield from ((inside / name).as_posix() for name in names if not _is_nobodys(name))


def _is_nobodys(name: str) -> bool:
    return name in NOBODYS or name.startswith(".nfs") or name.endswith(MARKERS)


def _refuse(reason: OSError) -> None:
    raise reason


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
