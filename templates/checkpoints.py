"""Checkpoints on the disk: which run wrote them, which of them are whole, which may be deleted.

A checkpoint is whole when its manifest says so. The manifest is written last and lists every file with its size, and
small files with their SHA-256 digests, so a save that was cut off, a copy that is not complete and a file that was cut
short are all seen, whichever files the trainer wrote. Only the standard library is imported.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from fingerprint import Fingerprint, differences
from settings import RefusedError

MANIFEST = "hbspec.json"
"""In a checkpoint's folder: the run's fingerprint, the step, and the files."""

OWNER = "hbspec-run.json"
"""Beside the checkpoints, written before the first of them: whose folder this is, should every save be cut off."""

FORMAT_VERSION = 1
DIGESTED_BYTES = 256 * 2**20
"""The digests of a checkpoint's smallest files are stored, up to this many bytes in total; of the others the size."""

MARKERS = (".sagemaker-uploading", ".sagemaker-uploaded")
"""Suffixes of files that SageMaker puts beside those that it copies to S3, and takes away again."""

NAME = re.compile("checkpoint-([1-9][0-9]*)")
"""What the trainer calls a checkpoint (transformers' PREFIX_CHECKPOINT_DIR): the number is its last update."""

SHOWN_DIFFERENCES = 20

Files = Mapping[str, Mapping[str, Any]]
"""By path inside the checkpoint: `bytes`, and `sha256` where it was taken."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where training starts.

    Attributes:
        checkpoint: the newest whole one; None where training starts from the first update.
        step: the last update that it holds; 0 without one.
        notes: what the log should say of the folder.
        loaded: the fingerprint's part that is compared when the model is loaded; None without a checkpoint.
    """

    checkpoint: Path | None = None
    step: int = 0
    notes: tuple[str, ...] = ()
    loaded: Mapping[str, Any] | None = None


def name_of(step: int) -> str:
    """The folder of the checkpoint after an update."""
    return f"checkpoint-{step}"


def find_start(folder: Path, mine: Fingerprint) -> Start:
    """The newest whole checkpoint in a folder, which may not exist, and what there is to say about the others.

    Raises:
        RefusedError: another run wrote what lies there, or nothing says which run did.
    """
    found = sorted(_checkpoints(folder), key=_step, reverse=True)
    notes = [f"{path.name} is not a checkpoint's name and is passed over" for path in _strays(folder)]
    if not found:
        return Start(notes=tuple(notes))
    _refuse_others(folder, found, mine)
    for checkpoint in found:
        reason = damage(checkpoint)
        if reason is None:
            theirs = _read(checkpoint / MANIFEST)["fingerprint"]
            notes += [f"{line}; what is learned is the same" for line in differences(theirs["noted"], mine["noted"])]
            return Start(checkpoint, _step(checkpoint), tuple(notes), theirs["loaded"])
        notes.append(f"{checkpoint.name} is damaged and is passed over: {reason}")
    notes.append(
        f"WARNING none of the {len(found)} checkpoints in {folder} is whole: training starts again at update 1"
    )
    return Start(notes=tuple(notes))


def refuse_other(checkpoint: Path, theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> None:
    """Ends a run whose fingerprint differs from the one that a checkpoint, or the folder's owner, carries.

    Raises:
        RefusedError: with each key that differs, both values, and what to do.
    """
    lines = differences(theirs, mine)
    if not lines:
        return
    if len(lines) > SHOWN_DIFFERENCES:
        lines = [*lines[:SHOWN_DIFFERENCES], f"and {len(lines) - SHOWN_DIFFERENCES} keys more differ"]
    action = f"use another checkpoint folder than {checkpoint.parent}, or restore the values that were there"
    raise RefusedError([f"{checkpoint} was written by another run, which learned something else", *lines, action])


def damage(checkpoint: Path) -> str | None:
    """Why a checkpoint is not whole; None where it is."""
    try:
        manifest = _read(checkpoint / MANIFEST)
        if manifest["step"] != _step(checkpoint):
            return f"it was saved as {name_of(manifest['step'])}"
        return next(_damaged(checkpoint, manifest["files"]), None)
    except FileNotFoundError:
        return f"it has no {MANIFEST}, which is written last: the save was cut off"
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as reason:
        return f"its {MANIFEST} cannot be read: {reason}"


def _damaged(checkpoint: Path, files: Files) -> Iterator[str]:
    for name, entry in files.items():
        path = checkpoint / name
        if not path.is_file():
            yield f"{name} is missing"
        elif path.stat().st_size != entry["bytes"]:
            yield f"{name} has {path.stat().st_size} bytes, but {entry['bytes']} were saved"
        elif "sha256" in entry and _digest(path) != entry["sha256"]:
            yield f"{name} is not what was saved: its SHA-256 digest differs"


def contents(checkpoint: Path) -> dict[str, dict[str, Any]]:
    """Every file of a checkpoint: sizes in bytes, and digests from the smallest on, up to `DIGESTED_BYTES` together."""
    others = (*MARKERS, MANIFEST)
    paths = [path for path in checkpoint.rglob("*") if path.is_file() and not path.name.endswith(others)]
    left = DIGESTED_BYTES
    found: dict[str, dict[str, Any]] = {}
    for size, path in sorted((path.stat().st_size, path) for path in paths):
        left -= size
        digest = {"sha256": _digest(path)} if left >= 0 else {}
        found[path.relative_to(checkpoint).as_posix()] = {"bytes": size, **digest}
    return found


def write_manifest(checkpoint: Path, mine: Fingerprint, files: Files) -> None:
    """Makes a checkpoint whole: after this, and not before, a run goes on from it."""
    content = {"step": _step(checkpoint), "fingerprint": mine, "files": files}
    _write(checkpoint / MANIFEST, content)


def write_owner(folder: Path, mine: Fingerprint) -> None:
    """Says whose checkpoints a folder will hold. Made before the first save."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / OWNER, {"fingerprint": mine})


def superfluous(folder: Path, newest: int, keep: int, best: str | None) -> list[str]:
    """Names of the checkpoints to delete after a save.

    The one that was just saved and the best one stay whatever `keep` says, and of the other whole ones the newest.
    Damaged ones before the newest go; what is not called a checkpoint is not touched.

    Args:
        folder: where the checkpoints lie.
        newest: the update that was just saved.
        keep: how many whole ones stay.
        best: path of the best one, in whichever folder; None where none is chosen.
    """
    older = sorted((path for path in _checkpoints(folder) if _step(path) < newest), key=_step, reverse=True)
    best_name = PurePath(best).name if best else None
    protected = [path for path in older if path.name == best_name]
    others = [path for path in older if path.name != best_name and _sizes_hold(path)]
    kept = {*protected, *others[: max(0, keep - 1 - len(protected))]}
    return [path.name for path in older if path not in kept]


def best_left(folder: Path, state: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    """The fields of a trainer's state that name its best checkpoint, as they hold in this folder, and a note.

    The state names the best one by a path, which may be another machine's, and it may be damaged or gone. Then the best
    whole one that was evaluated takes its place.

    Args:
        folder: where the checkpoints lie.
        state: the content of a checkpoint's trainer_state.json.
    """
    if not state.get("best_model_checkpoint"):
        return {}, None
    recorded = folder / PurePath(state["best_model_checkpoint"]).name
    reason = damage(recorded)
    if reason is None:
        return {"best_model_checkpoint": str(recorded)}, None
    losses = {entry["step"]: entry["eval_loss"] for entry in state["log_history"] if "eval_loss" in entry}
    ranked = sorted(losses, key=lambda step: float(losses[step]))
    step = next((step for step in ranked if damage(folder / name_of(step)) is None), None)
    fields = {
        "best_model_checkpoint": str(folder / name_of(step)) if step else None,
        "best_metric": losses[step] if step else None,
        "best_global_step": step,
    }
    note = f"WARNING the best checkpoint, {recorded.name}, is passed over: {reason}; "
    return fields, note + (f"the best that is left is {name_of(step)}" if step else "no other was evaluated")


def _checkpoints(folder: Path) -> Iterator[Path]:
    return (path for path in folder.glob("checkpoint-*") if path.is_dir() and NAME.fullmatch(path.name))


def _strays(folder: Path) -> list[Path]:
    """What looks like a checkpoint and is not one."""
    return sorted(set(folder.glob("checkpoint*")) - set(_checkpoints(folder)))


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _refuse_others(folder: Path, found: Sequence[Path], mine: Fingerprint) -> None:
    claims = {path: theirs for path in (*found, folder) if (theirs := _fingerprint(path)) is not None}
    if not claims:
        raise RefusedError(
            [
                f"{found[0]} does not say which run wrote it: it has no {MANIFEST} "
                "(an earlier version of this script or another program saved it)",
                f"use another checkpoint folder than {folder}, or empty it",
            ]
        )
    for path, theirs in claims.items():
        refuse_other(path if path != folder else folder / OWNER, theirs["learned"], mine["learned"])


def _fingerprint(path: Path) -> Fingerprint | None:
    """What a checkpoint, or a folder of checkpoints, says of its run; None where it says nothing that can be read."""
    for name in (MANIFEST, OWNER):
        try:
            found: Fingerprint = _read(path / name)["fingerprint"]
            if all(isinstance(found[part], dict) for part in ("learned", "loaded", "noted")):
                return found
        except (OSError, ValueError, LookupError, TypeError):
            continue
    return None


def _sizes_hold(checkpoint: Path) -> bool:
    """Whether a checkpoint looks whole, without reading its files: enough to decide what is kept."""
    try:
        files = _read(checkpoint / MANIFEST)["files"]
        return all((checkpoint / name).stat().st_size == entry["bytes"] for name, entry in files.items())
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if content["format_version"] != FORMAT_VERSION:
        raise ValueError(f"it has format {content['format_version']}, and this script reads {FORMAT_VERSION}")
    return content


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """A file that is there in whole or not at all, whenever the process is killed."""
    unfinished = path.with_name(path.name + ".tmp")
    with unfinished.open("w", encoding="utf-8") as file:
        json.dump({"format_version": FORMAT_VERSION, **content}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
