"""Files into a folder: all of them or none, and never over a file that was not written here.

A list of what was written, `.hbspec.json`, lies in the folder. Only the files in it may be replaced, and only while
they are as they were left. Everything else in the folder is left alone.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp

from hbspec.cli.defects import NOT_A_FOLDER, NOT_OURS
from hbspec.diagnostics import Confidence, Diagnostic, Severity
from hbspec.source.defects import Defect
from hbspec.targets import Artifact

MANIFEST = ".hbspec.json"
ELSEWHERE = "name another folder with -o"


@dataclass(frozen=True, slots=True)
class Written:
    """What a folder holds now, and what of the compile before is gone; paths below the folder."""

    files: tuple[str, ...]
    removed: tuple[str, ...]


class RefusedError(Exception):
    """Nothing was written; `diagnostics` names every file that is in the way."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__("; ".join(diagnostic.message for diagnostic in diagnostics))
        self.diagnostics = tuple(diagnostics)


def write(artifacts: Sequence[Artifact], folder: Path) -> Written:
    """Write every artifact below `folder`, and remove what an earlier call wrote and this one does not.

    The files are written aside first and then moved to their places one by one; if a move fails, those before it are
    undone.

    Raises:
        RefusedError: a file in the way is not ours, or a folder in the way is none.
        OSError: the system refuses; nothing has changed.
    """
    new = sorted(artifact.path for artifact in artifacts)
    for path in new:
        if path == MANIFEST or not _is_below(path):
            raise ValueError(f"an artifact must not be called {path}")
    ours = _manifest(folder)
    stale = sorted(ours.keys() - set(new))
    problems = list(_in_the_way(folder, [*new, *stale], ours))
    if problems:
        raise RefusedError(problems)
    # on the same file system as the folder, or nothing could be moved
    existing = next(place for place in (folder, *folder.absolute().parents) if place.is_dir())
    staging = Path(mkdtemp(prefix=".hbspec-", dir=existing))
    try:
        for artifact in artifacts:
            _stage(artifact, staging / "new")
        _stage(Artifact(MANIFEST, _spelled(artifacts)), staging / "new")
        _move(staging, folder, arriving=[*new, MANIFEST], leaving=stale)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    for path in stale:
        _remove_empty(folder, (folder / path).parent)
    return Written(tuple(new), tuple(stale))


def _is_below(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and parts[0] != "/" and ".." not in parts and "\\" not in path and "\0" not in path


def _manifest(folder: Path) -> Mapping[str, str]:
    """Path to SHA-256 of every file written by an earlier call; empty if there is no list.

    Raises:
        RefusedError: the list is none of ours. It may come from a stranger, so a path that leads out of the folder is
            reason enough.
    """
    manifest = folder / MANIFEST
    if not manifest.exists() and not manifest.is_symlink():
        return {}
    try:
        files = None if manifest.is_symlink() else json.loads(manifest.read_bytes())["files"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        files = None
    if not isinstance(files, dict) or not all(isinstance(digest, str) for digest in files.values()):
        raise RefusedError([_diagnostic(NOT_OURS, manifest, "is not the list that hbspec writes", ELSEWHERE)])
    if not all(map(_is_below, files)):
        raise RefusedError([_diagnostic(NOT_OURS, manifest, "lists files outside its folder", ELSEWHERE)])
    return files


def _spelled(artifacts: Sequence[Artifact]) -> bytes:
    files = {artifact.path: artifact.digest for artifact in sorted(artifacts, key=lambda artifact: artifact.path)}
    return (json.dumps({"format_version": 1, "files": files}, indent=2) + "\n").encode()


def _in_the_way(folder: Path, paths: Sequence[str], ours: Mapping[str, str]) -> Iterator[Diagnostic]:
    nearest = next((place for place in (folder, *folder.parents) if place.exists() or place.is_symlink()), folder)
    if (nearest.exists() or nearest.is_symlink()) and not nearest.is_dir():
        yield _diagnostic(NOT_A_FOLDER, nearest, "is not a folder", ELSEWHERE)
        return
    said: set[Path] = set()
    for path in paths:
        target = folder / path
        for parent in reversed(target.relative_to(folder).parents[:-1]):
            place = folder / parent
            if place not in said and (place.is_symlink() or (place.exists() and not place.is_dir())):
                said.add(place)
                yield _diagnostic(NOT_A_FOLDER, place, "is not a folder", f"move it away, or {ELSEWHERE}")
        if said & set(target.parents) or not (target.exists() or target.is_symlink()):
            continue
        if path not in ours:
            yield _diagnostic(NOT_OURS, target, "was not written by hbspec", f"move it away, or {ELSEWHERE}")
        elif target.is_symlink() or not target.is_file() or sha256(target.read_bytes()).hexdigest() != ours[path]:
            message = "has changed since hbspec wrote it"
            yield _diagnostic(NOT_OURS, target, message, f"keep it under another name, or {ELSEWHERE}")


def _diagnostic(defect: Defect, path: Path, message: str, action: str) -> Diagnostic:
    return Diagnostic(
        defect.code, defect.name, Severity.ERROR, Confidence.CERTAIN, str(path), (), None, f"{path} {message}", action
    )


def _stage(artifact: Artifact, folder: Path) -> None:
    path = folder / artifact.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(artifact.content)
    if artifact.executable:
        mode = path.stat().st_mode
        path.chmod(mode | (mode & 0o444) >> 2)


def _move(staging: Path, folder: Path, *, arriving: Sequence[str], leaving: Sequence[str]) -> None:
    """Old files out to `staging/old`, new ones in from `staging/new`; on a failure the way back."""
    done: list[tuple[Path, Path]] = []
    made: list[Path] = []

    def move(source: Path, target: Path) -> None:
        missing = [parent for parent in target.parents if not parent.exists()]
        target.parent.mkdir(parents=True, exist_ok=True)
        made.extend(reversed(missing))
        source.replace(target)
        done.append((source, target))

    try:
        for path in (*arriving, *leaving):
            if (folder / path).exists():
                move(folder / path, staging / "old" / path)
        for path in arriving:
            move(staging / "new" / path, folder / path)
    except BaseException:
        for source, target in reversed(done):
            target.replace(source)
        for parent in reversed(made):
            _remove_empty(parent.parent, parent)
        raise


def _remove_empty(folder: Path, place: Path) -> None:
    """Remove `place` and what is above it, up to `folder`, as far as nothing is left in them."""
    while place != folder and place.is_dir() and not any(place.iterdir()):
        place.rmdir()
        place = place.parent
