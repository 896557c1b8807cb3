"""A compiled folder: replaced as a whole, and never in place of files that hbspec did not write.

The folder holds a list of the files that were written, `.hbspec.json`. A folder is replaced only if it holds those
files, unchanged, and nothing else.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import file_digest
from itertools import islice
from pathlib import Path, PurePosixPath

from hbspec.cli.places import settled
from hbspec.cli.whole import alone_in, aside, clear, restore, swap_folder, sync_folder, write_through
from hbspec.diagnostics import Confidence, Diagnostic, Severity
from hbspec.manual import Page
from hbspec.manual.files import NOT_A_FOLDER, NOT_OURS, NOT_REPLACEABLE
from hbspec.source.paths import UnreadablePathError, read_bytes
from hbspec.targets.lowering.artifact import CACHE, CACHED, LEFT_BY_SYSTEMS, Artifact

MANIFEST = ".hbspec.json"
MANIFEST_BYTES = 2**20
STAGED, EXCHANGED, SPARE = "staged", "new", "old"
"""Folders at the entry `aside`: a compile as it is written; when it is complete, and then, where the system exchanges
folders, the one that it has replaced; the replaced one where folders are renamed."""
ELSEWHERE = "name another folder with -o"
SHOWN = 5
"""Entries in the way that a message names; the others are an ellipsis."""


@dataclass(frozen=True, slots=True)
class Written:
    """The files that a folder holds now, and those of the earlier compile that are gone; paths below the folder."""

    files: tuple[str, ...]
    removed: tuple[str, ...]


class RefusedError(Exception):
    """Nothing was written; `diagnostics` say what is in the way."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__("; ".join(diagnostic.message for diagnostic in diagnostics))
        self.diagnostics = tuple(diagnostics)


def write(artifacts: Sequence[Artifact], folder: Path) -> Written:
    """Write every artifact and the list of them to `folder`, in one step and in place of an earlier compile.

    Raises:
        RefusedError: the folder holds a file that hbspec did not write, or cannot be replaced.
        OSError: the system refuses; nothing has changed.
    """
    for artifact in artifacts:
        if artifact.path == MANIFEST or not _is_below(artifact.path):
            raise ValueError(f"an artifact cannot have the path {artifact.path}")
    folder = settled(folder)
    if problem := _unusable(folder):
        raise RefusedError([problem])
    place = Path(os.path.realpath(folder))
    missing = [parent for parent in place.parents if not parent.exists()]
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with alone_in(place.parent):
            _ours(folder)  # refused before anything is made beside it
            old = _replace(artifacts, folder, place)
    except BaseException as reason:
        with suppress(OSError):
            for parent in missing:
                parent.rmdir()
        if isinstance(reason, OSError) and str(reason.filename or aside(place)).startswith(str(aside(place))):
            reason.filename = str(folder)  # a full disk is told without a name, or by a hidden one
        if isinstance(reason, OSError) and reason.errno in (errno.EXDEV, errno.EBUSY):
            raise RefusedError([_cannot_be_replaced(folder, f"cannot be renamed ({reason.strerror})")]) from reason
        raise
    new = sorted(artifact.path for artifact in artifacts)
    return Written(tuple(new), tuple(sorted(old.keys() - set(new))))


def _replace(artifacts: Sequence[Artifact], folder: Path, place: Path) -> Mapping[str, str]:
    """Exchange the folder; return path to SHA-256 of the files in the folder that was replaced."""
    work = aside(place)
    _settle(work, place)
    went_back = False
    try:
        work.mkdir(mode=0o700)
        _stage(artifacts, work / STAGED)
        old = _ours(folder)
        if place.exists():
            shutil.copymode(place, work / STAGED)
        (work / STAGED).rename(work / EXCHANGED)
        swap_folder(work / EXCHANGED, place, work / SPARE)
    finally:
        went_back = _settle(work, place)
    if went_back:
        _ours(place)  # says what is in the way, if it still is
        said = "was changed while it was replaced, and is as it was before"
        raise RefusedError([_diagnostic(NOT_OURS, folder, said, "compile again")])
    return old


def _settle(work: Path, place: Path) -> bool:
    """Put in order what an exchange leaves that is over, was interrupted or was killed; return whether it was undone.

    The folder that was replaced is deleted. But if somebody put a file into it, or changed one, after it was checked,
    it goes back to its place, and the compile that took the place is deleted.

    Raises:
        RefusedError: it cannot go back, because somebody has put something into that compile too.
    """
    if work.is_symlink() or not work.is_dir():
        clear(work)
        return False
    restore(work / SPARE, place)
    kept = [left for left in (work / SPARE, work / EXCHANGED) if _holds_others(left)]
    if len(kept) > 1 or (kept and _holds_others(place)):
        said = "holds files that hbspec did not write, and that were there before a compile that was interrupted"
        action = "move them away, and delete the folder"
        raise RefusedError([_diagnostic(NOT_OURS, left, said, action) for left in kept])
    for left in kept:
        clear(work / STAGED)
        swap_folder(left, place, work / STAGED)
    for left in (work / SPARE, work / EXCHANGED):
        if left.is_dir():  # half deleted, it would look like somebody's
            clear(work / STAGED)
            left.rename(work / STAGED)
    clear(work)
    return bool(kept)


def _holds_others(folder: Path) -> bool:
    """Whether a folder, which may not exist, holds more than a compile, or something else."""
    if not folder.is_dir():
        return False
    try:
        listed = _manifest(folder)
    except RefusedError:
        return True
    return any((*_foreign(folder, listed), *_changed(folder, listed)))


def _is_below(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and parts[0] != "/" and ".." not in parts and "\\" not in path and "\0" not in path


def _ours(folder: Path) -> Mapping[str, str]:
    """Path to SHA-256 of every file of the compile in `folder`; empty if the folder does not exist.

    Called with the lock held: otherwise the list could belong to one compile and the files to another.

    Raises:
        RefusedError: the folder holds other files besides or instead, or cannot be replaced.
    """
    if not os.path.lexists(folder):
        return {}
    listed = _manifest(folder)
    problems = [*_foreign(folder, listed), *_changed(folder, listed)] or list(_fixed(folder))
    if problems:
        raise RefusedError(problems)
    return listed


def _unusable(folder: Path) -> Diagnostic | None:
    """A diagnostic if the path itself is unusable, before its content is read."""
    if folder.is_symlink():
        return _diagnostic(
            NOT_A_FOLDER, folder, "is a symbolic link", "name the folder that it points to, or another one"
        )
    nearest = next((place for place in (folder, *folder.parents) if os.path.lexists(place)), folder)
    if os.path.lexists(nearest) and not nearest.is_dir():
        return _diagnostic(NOT_A_FOLDER, nearest, "is not a folder", ELSEWHERE)
    return None


def _manifest(folder: Path) -> Mapping[str, str]:
    """The list in a folder: path to SHA-256; empty if the folder has no list.

    Raises:
        RefusedError: hbspec did not write the list, or a path in it leads out of the folder: the list may come from a
            stranger.
    """
    manifest = folder / MANIFEST
    if not os.path.lexists(manifest):
        return {}
    try:
        files = None if manifest.is_symlink() else json.loads(read_bytes(manifest, MANIFEST_BYTES))["files"]
    except (UnreadablePathError, ValueError, KeyError, TypeError, RecursionError):
        files = None
    if not isinstance(files, dict) or not all(isinstance(digest, str) for digest in files.values()):
        raise RefusedError([_diagnostic(NOT_OURS, manifest, "is not the list that hbspec writes", ELSEWHERE)])
    if not all(map(_is_below, files)):
        raise RefusedError([_diagnostic(NOT_OURS, manifest, "lists files outside its folder", ELSEWHERE)])
    return files


def _foreign(folder: Path, listed: Collection[str]) -> Iterator[Diagnostic]:
    names = list(islice(_unlisted(folder, "", listed, _folders_of(listed)), SHOWN + 1))
    if names:
        more = ", …" if len(names) > SHOWN else ""
        message = f"holds files that hbspec did not write: {', '.join(names[:SHOWN])}{more}"
        yield _diagnostic(NOT_OURS, folder, message, f"move them away, or {ELSEWHERE}")


def _folders_of(listed: Collection[str]) -> frozenset[str]:
    return frozenset(str(parent) for path in listed for parent in PurePosixPath(path).parents)


def _unlisted(folder: Path, above: str, listed: Collection[str], folders: Collection[str]) -> Iterator[str]:
    """Entries below a folder that are not on the list; a folder without listed files is one entry."""
    with os.scandir(folder / above) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        path = f"{above}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            if path in folders:
                yield from _unlisted(folder, f"{path}/", listed, folders)
            elif not (listed and _is_cache(Path(entry.path))):
                yield f"{path}/"
        elif path not in listed and path != MANIFEST and entry.name not in LEFT_BY_SYSTEMS:
            yield path


def _is_cache(folder: Path) -> bool:
    return folder.name == CACHE and all(entry.suffix == CACHED and entry.is_file() for entry in folder.iterdir())


def _changed(folder: Path, listed: Mapping[str, str]) -> Iterator[Diagnostic]:
    for path, digest in listed.items():
        target = folder / path
        if os.path.lexists(target) and not _is_as_left(target, digest):
            message = "has changed since hbspec wrote it"
            yield _diagnostic(NOT_OURS, target, message, f"keep it under another name, or {ELSEWHERE}")


def _is_as_left(target: Path, digest: str) -> bool:
    if target.is_symlink() or not target.is_file():
        return False
    with target.open("rb") as file:
        return file_digest(file, "sha256").hexdigest() == digest


def _fixed(folder: Path) -> Iterator[Diagnostic]:
    """A diagnostic if the folder cannot be renamed."""
    real = Path(os.path.realpath(folder))
    if Path(os.path.realpath(Path.cwd())).is_relative_to(real):
        yield _cannot_be_replaced(folder, "is the working folder of this command, or a folder above it")
    elif os.path.ismount(real):
        yield _cannot_be_replaced(folder, "is a mount point")


def _cannot_be_replaced(folder: Path, why: str) -> Diagnostic:
    return _diagnostic(NOT_REPLACEABLE, folder, why, "name a folder below it with -o")


def _diagnostic(defect: Page, path: Path, message: str, action: str) -> Diagnostic:
    return Diagnostic(
        defect.code, defect.name, Severity.ERROR, Confidence.CERTAIN, str(path), (), None, f"{path} {message}", action
    )


def _stage(artifacts: Sequence[Artifact], folder: Path) -> None:
    """Write every artifact and their list below a new folder, and wait until all of it is on the disk."""
    folder.mkdir()
    for artifact in with_list(artifacts):
        path = folder / artifact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        write_through(path, artifact.content)
        if artifact.executable:
            mode = path.stat().st_mode
            path.chmod(mode | (mode & 0o444) >> 2)
    for place, _, _ in os.walk(folder):
        sync_folder(Path(place))


def with_list(artifacts: Sequence[Artifact]) -> tuple[Artifact, ...]:
    """Everything that a folder holds: the artifacts, and the list of them."""
    return *artifacts, Artifact(MANIFEST, _spelled(artifacts))


def _spelled(artifacts: Sequence[Artifact]) -> bytes:
    files = {artifact.path: artifact.digest for artifact in sorted(artifacts, key=lambda artifact: artifact.path)}
    return (json.dumps({"format_version": 1, "files": files}, indent=2) + "\n").encode()
