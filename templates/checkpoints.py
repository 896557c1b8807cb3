"""A folder of checkpoints: which run wrote them, where to start, which may be deleted.

What one checkpoint holds, and whether it is whole, is said in `manifest`. Only the standard library is imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from documents import store
from fingerprint import Fingerprint, differences
from manifest import MANIFEST, NAME, author, damage, is_foreign, name_of, step_of
from settings import RefusedError

OWNER = "hbspec-run.json"
"""Beside the checkpoints, written before the first of them: whose folder this is, should every save be cut off."""

SHOWN_DIFFERENCES = 20


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


def find_start(folder: Path, mine: Fingerprint) -> Start:
    """The newest whole checkpoint in a folder, which may not exist, and what there is to say about the others.

    Raises:
        RefusedError: another run wrote what lies there, or nothing says which run did; a file, or another program's
            folder, has a name that a save may need.
    """
    found = sorted(_checkpoints(folder), key=step_of, reverse=True)
    start = Start()
    if found:
        _refuse_others(folder, found, mine)
        start = _newest_whole(folder, [path for path in found if not is_foreign(path)], mine)
    foreign = _notes_on_foreign([path for path in found if is_foreign(path)], start.step)
    return replace(start, notes=(*_notes_on_strays(folder), *foreign, *start.notes))


def _newest_whole(folder: Path, found: Sequence[Path], mine: Fingerprint) -> Start:
    """The first whole one of this script's checkpoints, which begin with the newest, and a note on each before it."""
    notes: list[str] = []
    for checkpoint in found:
        reason = damage(checkpoint)
        if reason is None and (theirs := author(checkpoint / MANIFEST)):
            notes += [f"{line}; what is learned is the same" for line in differences(theirs["noted"], mine["noted"])]
            return Start(checkpoint, step_of(checkpoint), tuple(notes), theirs["loaded"])
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


def write_owner(folder: Path, mine: Fingerprint) -> None:
    """Says whose checkpoints a folder will hold. Made before the first save."""
    folder.mkdir(parents=True, exist_ok=True)
    store(folder / OWNER, {"fingerprint": mine})


def superfluous(folder: Path, newest: int, keep: int, best: str | None) -> list[str]:
    """Names of the checkpoints to delete after a save.

    The one that was just saved and the best one stay whatever `keep` says, and of the other whole ones the newest.
    Damaged ones before the newest go; what is not called a checkpoint, or is another program's, is not touched.

    Args:
        folder: where the checkpoints lie.
        newest: the update that was just saved.
        keep: how many whole ones stay.
        best: path of the best one, in whichever folder; None where none is chosen.
    """
    ours = (path for path in _checkpoints(folder) if step_of(path) < newest and not is_foreign(path))
    older = sorted(ours, key=step_of, reverse=True)
    best_name = PurePath(best).name if best else None
    protected = [path for path in older if path.name == best_name]
    others = [path for path in older if path.name != best_name and damage(path, digests=False) is None]
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


def _notes_on_foreign(foreign: Sequence[Path], start: int) -> list[str]:
    """What the log should say of other programs' folders, newest first, that have a checkpoint's name.

    Raises:
        RefusedError: one has the name of an update after the start, which is saved if the run is stopped there.
    """
    if needed := [path for path in foreign if step_of(path) > start]:
        said = f"was written by another program, and a save may need its name: move it away (it has no {MANIFEST})"
        raise RefusedError([f"{path} {said}" for path in needed])
    return [f"{path.name} has no {MANIFEST}: another program wrote it, and it is left alone" for path in foreign]


def _notes_on_strays(folder: Path) -> list[str]:
    """What the log should say of what looks like a checkpoint and is not one.

    Raises:
        RefusedError: a save would have to delete somebody's file, since a checkpoint has its name.
    """
    strays = sorted(set(folder.glob("checkpoint*")) - set(_checkpoints(folder)))
    named = [path for path in strays if NAME.fullmatch(path.name)]
    files = [path for path in named if not path.is_symlink()]
    if files:
        raise RefusedError([f"{path} has a checkpoint's name and is not a folder: move it away" for path in files])
    return [
        f"{path.name} is a link that leads to no folder and is passed over"
        if path in named
        else f"{path.name} is not a checkpoint's name and is passed over"
        for path in strays
    ]


def _refuse_others(folder: Path, found: Sequence[Path], mine: Fingerprint) -> None:
    documents = [*(path / MANIFEST for path in found), folder / OWNER]
    claims = {path: theirs for path in documents if (theirs := author(path)) is not None}
    if not claims:
        raise RefusedError(
            [
                f"{found[0]} does not say which run wrote it: it has no {MANIFEST} "
                "(an earlier version of this script or another program saved it)",
                f"use another checkpoint folder than {folder}, or empty it",
            ]
        )
    for path, theirs in claims.items():
        refuse_other(path if path.name == OWNER else path.parent, theirs["learned"], mine["learned"])
