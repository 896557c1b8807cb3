"""The manifest of a checkpoint: whether it is whole, and which run wrote it.

The manifest is written last and lists every file with its size, and small files with their SHA-256 digests. So a save
that was cut off, an incomplete copy, a file that was cut short and a file that does not belong there are all seen,
whichever files the trainer wrote. Only the standard library is imported.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

from completeness import STATE, missing
from documents import UNREADABLE, load, parsed, store
from fingerprint import Fingerprint

MANIFEST = "hbspec.json"
"""In a checkpoint's folder: the run's fingerprint, the step, and the files."""

BEGUN = ".hbspec-begun"
"""In a checkpoint's folder, before anything else: this script writes it, and may delete it if the save is cut off."""

DIGESTED_BYTES = 256 * 2**20
"""The digests of a checkpoint's smallest files are stored, up to this many bytes in total; of the others the size."""

MARKERS = (".sagemaker-uploading", ".sagemaker-uploaded")
"""Suffixes of files that SageMaker puts beside those that it copies to S3, and takes away again."""

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


def begin(checkpoint: Path) -> None:
    """Makes the folder of a checkpoint, and marks it as this script's."""
    checkpoint.mkdir(parents=True, exist_ok=True)
    (checkpoint / BEGUN).touch()


def is_foreign(checkpoint: Path) -> bool:
    """Whether a folder, which may not exist, holds something and neither a manifest nor the mark says that it is ours.

    A link is not foreign: only the link is ever removed.
    """
    if checkpoint.is_symlink() or not checkpoint.is_dir():
        return False
    names = [path.name for path in checkpoint.iterdir() if not path.name.endswith(MARKERS)]
    return bool(names) and not {MANIFEST, BEGUN}.intersection(names)


def contents(checkpoint: Path) -> dict[str, dict[str, Any]]:
    """Every file of a checkpoint: sizes in bytes, and digests from the smallest on, up to `DIGESTED_BYTES` together."""
    names = (name for name in _entries(checkpoint) if (checkpoint / name).is_file())
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
    listed = {*files, *(parent.as_posix() for name in files for parent in Path(name).parents)}
    yield from (f"{name} is missing, and not listed in its {MANIFEST}" for name in missing(files, theirs))
    yield from (f"{name} is not listed in its {MANIFEST}" for name in sorted(there - listed))
    for name, entry in files.items():
        path = checkpoint / name
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

    A folder counts, since the trainer takes some for weights by their names alone. Left out: the manifest, SageMaker's
    markers, and hidden files beside the manifest, which no loader reads.
    """
    for place, folders, names in os.walk(checkpoint, onerror=_refuse):
        inside = Path(place).relative_to(checkpoint)
        if inside == Path():
            names = [name for name in names if name != MANIFEST and not name.startswith(".")]
        yield from ((inside / name).as_posix() for name in folders)
        yield from ((inside / name).as_posix() for name in names if not name.endswith(MARKERS))


def _refuse(reason: OSError) -> None:
    raise reason


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
