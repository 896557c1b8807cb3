"""A folder of checkpoints: which run wrote them, where to start, which may be deleted.

What one checkpoint holds, and whether it is whole, is said in `manifest`. Only the standard library is imported.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any

from documents import saying_room, store
from fingerprint import Fingerprint, all_differences, differences, is_same, shown
from manifest import MANIFEST, NAME, added, author, damage, differing, is_foreign, name_of, stamps, step_of
from settings import RefusedError

OWNER = "hbspec-run.json"
"""Beside the checkpoints, written before the first of them: whose folder this is, should every save be cut off."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where training starts.

    Attributes:
        checkpoint: the newest whole one; None where training starts from the first update.
        step: the last update that it holds; 0 without one.
        stamps: of the checkpoint's files, from before they were checked.
        notes: what the log should say of the folder.
        authors: of each document in the folder, whose part `loaded` is compared when the base model is found.
    """

    checkpoint: Path | None = None
    step: int = 0
    stamps: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    authors: Mapping[Path, Fingerprint] = field(default_factory=dict)


def find_start(folder: Path, mine: Fingerprint) -> Start:
    """The newest whole checkpoint in a folder, which may not exist, and what there is to say about the others.

    Raises:
        RefusedError: another run wrote what lies there, or nothing says which run did; a name that a save may need
            belongs to a file, to another program's folder, or to a checkpoint into which somebody put something.
    """
    found = sorted(_checkpoints(folder), key=step_of, reverse=True)
    start, authors = Start(), _authors(folder, found) if found else {}
    refuse_others(authors, mine)
    foreign = [path for path in found if is_foreign(path, mine)]
    if found:
        start = _newest_whole(folder, [path for path in found if path not in foreign], mine)
    notes = (*_notes_on_strays(folder), *_notes_on_foreign(foreign, start.step), *start.notes)
    return replace(start, notes=notes, authors=authors)


def _newest_whole(folder: Path, found: Sequence[Path], mine: Fingerprint) -> Start:
    """The first whole one of this script's checkpoints, which begin with the newest, and a note on each before it."""
    notes: list[str] = []
    for checkpoint in found:
        before = _stamps(checkpoint)
        reason = damage(checkpoint)
        if reason is None and (theirs := author(checkpoint / MANIFEST)):
            notes += [f"{line}; what is learned is the same" for line in differences(theirs["noted"], mine["noted"])]
            return Start(checkpoint, step_of(checkpoint), before, tuple(notes))
        if names := added(checkpoint):
            said = f"{checkpoint} is damaged ({reason}) and cannot be deleted: it holds what this script has not saved"
            raise RefusedError([f"{said} ({shown(names)}): move that away, or use another --checkpoint-dir"])
        notes.append(f"{checkpoint.name} is damaged and is passed over: {reason}")
    notes.append(
        f"WARNING none of the {len(found)} checkpoints in {folder} is whole: training starts again at update 1"
    )
    return Start(notes=tuple(notes))


def changed(start: Start) -> list[str]:
    """Why the checkpoint to start from is not loaded: data and model are read for minutes after it was checked.

    Of files that are too large for a digest in the manifest the size and the time of the last change tell.
    """
    if start.checkpoint is None:
        return []
    reason, now = damage(start.checkpoint), _stamps(start.checkpoint)
    if others := sorted(name for name, stamp in start.stamps.items() if now.get(name) != stamp):
        reason = reason or f"{shown(others)} differs"
    said = f"{start.checkpoint} was changed after this run had checked it"
    return [f"{said} ({reason}): start again, which passes it over if it is damaged"] if reason else []


def refuse_others(authors: Mapping[Path, Fingerprint], mine: Fingerprint) -> None:
    """Ends a run whose fingerprint differs from one that a checkpoint, or the folder's owner, carries.

    Raises:
        RefusedError: with each key that differs, both values, and what to do.
    """
    for path, theirs in authors.items():
        if not is_same(theirs, mine):
            written = path if path.name == OWNER else path.parent
            action = f"use another checkpoint folder than {written.parent}, or restore the values that were there"
            said = f"{written} was written by another run, which learned something else"
            raise RefusedError([said, *all_differences(theirs, mine), action])


def write_owner(folder: Path, mine: Fingerprint) -> None:
    """Says whose checkpoints a folder will hold. Made before the first save."""
    with saying_room(folder):
        folder.mkdir(parents=True, exist_ok=True)
        store(folder / OWNER, {"fingerprint": mine})


def steps(folder: Path) -> list[int]:
    """The last updates of the checkpoints in a folder, by their names."""
    return [step_of(path) for path in _checkpoints(folder)]


def superfluous(
    folder: Path, mine: Fingerprint, newest: int, keep: int, best: str | None, due: Collection[int] = ()
) -> list[str]:
    """Names of the checkpoints to delete after a save.

    The one that was just saved and the best one stay whatever `keep` says, and of the other whole ones the newest. So
    does one that was not evaluated yet, as it may be the best.
    Damaged ones before the newest go. Not touched, and not counted, is what is not called a checkpoint, is not this
    run's, or holds what somebody put there or changed.

    Args:
        folder: where the checkpoints lie.
        mine: the run's fingerprint.
        newest: the update that was just saved.
        keep: how many whole ones stay.
        best: path of the best one, in whichever folder; None where none is chosen.
        due: last updates of those whose evaluation is due.
    """
    older = [path for path in _older(folder, mine, newest) if not differing(path)]
    best_name = PurePath(best).name if best else None
    protected = [path for path in older if path.name == best_name]
    others = [path for path in older if path.name != best_name and damage(path, digests=False) is None]
    unevaluated = [path for path in others if step_of(path) in due]
    kept = {*protected, *unevaluated, *others[: max(0, keep - 1 - len(protected))]}
    return [path.name for path in older if path not in kept]


def notes_on_added(folder: Path, mine: Fingerprint, newest: int) -> Iterator[str]:
    """What the log should say of this run's checkpoints that are never deleted, newest first."""
    for path in _older(folder, mine, newest):
        if names := differing(path):
            yield f"{path.name} holds what this script has not saved ({shown(names)}), and is not deleted"


def taken(checkpoint: Path, mine: Fingerprint) -> Iterator[str]:
    """Why a save may not take the place of what has its name; nothing where it may."""
    if is_foreign(checkpoint, mine):
        yield f"{checkpoint} was written by another run or program while this run trained: move it away"
    elif names := added(checkpoint):
        yield f"{checkpoint} holds what this script has not saved ({shown(names)}): move that away"


def best_left(folder: Path, mine: Fingerprint, state: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    """The fields of a trainer's state that name its best checkpoint, as they hold in this folder, and a note.

    The state names the best one by a path, which may be another machine's, and it may be damaged, gone or another
    run's. Then the best whole one of this run that was evaluated takes its place.

    Args:
        folder: where the checkpoints lie.
        mine: the run's fingerprint.
        state: the content of a checkpoint's trainer_state.json.
    """
    if not state.get("best_model_checkpoint"):
        return {}, None
    recorded = folder / PurePath(state["best_model_checkpoint"]).name
    reason = _unusable(recorded, mine)
    if reason is None:
        return {"best_model_checkpoint": str(recorded)}, None
    losses = {entry["step"]: entry["eval_loss"] for entry in state["log_history"] if "eval_loss" in entry}
    ranked = sorted(losses, key=lambda step: float(losses[step]))
    step = next((step for step in ranked if _unusable(folder / name_of(step), mine) is None), None)
    fields = {
        "best_model_checkpoint": str(folder / name_of(step)) if step else None,
        "best_metric": losses[step] if step else None,
        "best_global_step": step,
    }
    note = f"WARNING the best checkpoint, {recorded.name}, is passed over: {reason}; "
    return fields, note + (f"the best that is left is {name_of(step)}" if step else "no other was evaluated")


def _unusable(checkpoint: Path, mine: Fingerprint) -> str | None:
    """Why a checkpoint is not delivered: it is not whole, or not this run's; None where it is both."""
    if not checkpoint.is_dir():
        return "it is not there any more"
    reason = damage(checkpoint)
    theirs = author(checkpoint / MANIFEST)
    if reason is None and (theirs is None or not is_same(theirs, mine)):
        return "another run wrote it"
    return reason


def _stamps(checkpoint: Path) -> dict[str, tuple[int, int]]:
    try:
        return stamps(checkpoint)
    except OSError:
        return {}  # `damage` says what is missing


def _older(folder: Path, mine: Fingerprint, newest: int) -> list[Path]:
    """Checkpoints of this run from before an update, newest first."""
    ours = (path for path in _checkpoints(folder) if step_of(path) < newest and not is_foreign(path, mine))
    return sorted(ours, key=step_of, reverse=True)


def _checkpoints(folder: Path) -> Iterator[Path]:
    return (path for path in folder.glob("checkpoint-*") if path.is_dir() and NAME.fullmatch(path.name))


def _notes_on_foreign(foreign: Sequence[Path], start: int) -> list[str]:
    """What the log should say of other programs' folders, newest first, that have a checkpoint's name.

    Raises:
        RefusedError: one has the name of an update after the start, which is saved if the run is stopped there.
    """
    if needed := [path for path in foreign if step_of(path) > start]:
        said = "was written by another run or program, and a save may need its name: move it away"
        raise RefusedError([f"{path} {said} (no {MANIFEST} says that it is this run's)" for path in needed])
    said = f"no {MANIFEST} that says that it is this run's"
    return [f"{path.name} has {said}: another run or program wrote it, and it is left alone" for path in foreign]


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


def _authors(folder: Path, found: Iterable[Path]) -> dict[Path, Fingerprint]:
    """Who wrote each checkpoint, and whose the folder is, as far as that is said.

    Raises:
        RefusedError: nothing says so.
    """
    documents = [*(path / MANIFEST for path in found), folder / OWNER]
    authors = {path: theirs for path in documents if (theirs := author(path)) is not None}
    if not authors:
        raise RefusedError(
            [
                f"{documents[0].parent} does not say which run wrote it: it has no {MANIFEST} "
                "(an earlier version of this script or another program saved it)",
                f"use another checkpoint folder than {folder}, or empty it",
            ]
        )
    return authors
