"""Revisions of a git repository, read without touching the work tree, the index or the configuration.

Only plumbing that reads is called (`rev-parse`, `merge-base`, `for-each-ref`, `ls-tree`, `cat-file`), so that no hook,
filter, pager or external diff of the repository runs. A revision is resolved to the name of its commit first, and only
that name is passed on. Nothing is fetched. Files are written below a folder of this process, regular files first and
links last, so that no file is written through a link. https://git-scm.com/docs/gitrevisions
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from hbspec.comparison.inputs import LARGEST
from hbspec.spelling import nearest

GIT = ("git", "--no-pager", "--literal-pathspecs", "-c", "core.fsmonitor=false", "-c", "core.quotepath=off")
READING = {
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
}
"""Variables under which git writes nothing, fetches nothing and asks nothing."""
FILES, LINKS = ("100644", "100755", "100664"), ("120000",)
"""Modes of regular files and of symbolic links in a tree; submodules are left out."""


class RevisionError(Exception):
    """A revision or a repository that cannot be read; the message is one sentence for the user."""


class UnknownRevisionError(RevisionError):
    """A word that is not a revision."""


class Blob(NamedTuple):
    """A file or a link of a tree: its mode, the name and the size of its content, and its path."""

    mode: str
    name: str
    size: int
    path: str


def top_of(folder: Path) -> Path:
    """The top folder of the work tree around a folder.

    Raises:
        RevisionError: git is not installed, or the folder is not in a work tree.
    """
    return Path(_git(("rev-parse", "--show-toplevel"), folder, f"{folder} is not in a git repository").rstrip("\n"))


def commit_of(revision: str, folder: Path) -> str:
    """The name of the commit that a revision stands for.

    Raises:
        UnknownRevisionError: the repository has no such revision, or more than one.
        RevisionError: git is not installed.
    """
    said = f"`{revision}` is neither a file nor a revision of this repository"
    if not revision or revision.startswith("-") or "\0" in revision:
        raise UnknownRevisionError(said)
    command = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    with _started(command, folder, subprocess.DEVNULL) as process:
        out, _ = process.communicate()
    if process.returncode:
        raise UnknownRevisionError(said + _alike(revision, folder))
    return os.fsdecode(out).strip()


def _alike(revision: str, folder: Path) -> str:
    """What there is instead: a branch or a tag with a similar name, or else where the commits are listed."""
    names = _git(("for-each-ref", "--format=%(refname:short)"), folder, "the branches cannot be listed").split()
    meant = nearest(revision, names)
    return f"; did you mean {meant}?" if meant else "; `git log --oneline --all` lists its commits"


def merge_base(one: str, other: str, folder: Path) -> str:
    """The best common ancestor of two commits.

    Raises:
        RevisionError: they have none, or the clone is too shallow to hold it.
    """
    said = "the two revisions have no common ancestor here; fetch more history (in GitHub Actions: fetch-depth: 0)"
    return _git(("merge-base", one, other), folder, said).strip()


def put(commit: str, repository: Path, folder: Path) -> None:
    """Write the files of a commit below an empty folder.

    A file that is larger than `LARGEST` becomes one of the same size without content: nothing reads it.

    Raises:
        RevisionError: an object is missing, as in a partial clone, or a tree has a path that would lead out of the
            folder, or one path twice.
    """
    blobs = [blob for blob in _blobs(commit, repository) if blob.mode in (*FILES, *LINKS)]
    regular = [blob for blob in blobs if blob.mode in FILES]
    (folder / ".git").mkdir()  # where a project ends
    for blob in (blob for blob in regular if blob.size > LARGEST):
        with _made(folder, blob).open("xb") as file:
            file.truncate(blob.size)
    small = [blob for blob in regular if blob.size <= LARGEST]
    links = [blob for blob in blobs if blob.mode in LINKS]
    for blob, content in _contents((*small, *links), repository):
        place = _made(folder, blob)
        if os.path.lexists(place):
            raise RevisionError(f"the revision has two entries named `{blob.path}`")
        if blob.mode in LINKS:
            place.symlink_to(os.fsdecode(content))
        else:
            place.write_bytes(content)


def _made(folder: Path, blob: Blob) -> Path:
    """The place of a blob, with the folders above it."""
    path = PurePosixPath(blob.path)
    if path.is_absolute() or {"..", ".git", ""} & {part.casefold() for part in path.parts}:
        raise RevisionError(f"the revision has a file named `{blob.path}`, which leads out of it")
    place = folder / path
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise RevisionError(f"the revision has `{blob.path}` below a path that is not a folder") from None
    return place


def _blobs(commit: str, repository: Path) -> Iterator[Blob]:
    listed = _git(("ls-tree", "-r", "-z", "--long", "--full-tree", commit), repository, "the revision cannot be listed")
    for entry in filter(None, listed.split("\0")):
        about, _, path = entry.partition("\t")
        mode, _, name, size = about.split()
        yield Blob(mode, name, int(size) if size.isdecimal() else 0, path)


def _contents(blobs: Sequence[Blob], repository: Path) -> Iterator[tuple[Blob, bytes]]:
    """The content of each blob, from one process; the names go there from a file, so that neither side waits."""
    from tempfile import TemporaryFile

    with TemporaryFile() as names:
        names.write("".join(f"{blob.name}\n" for blob in blobs).encode())
        names.seek(0)
        with _started(("cat-file", "--batch"), repository, names) as process:
            stream = process.stdout
            for blob in blobs:
                yield blob, _next(stream, blob) if stream else b""


def _next(stream: IO[bytes], blob: Blob) -> bytes:
    header = stream.readline().split()
    if len(header) != 3 or header[1] != b"blob":
        raise RevisionError(f"the content of `{blob.path}` is missing in this clone; fetch the revision in full")
    size = int(header[2])
    content = stream.read(size)
    stream.read(1)
    return content


def _git(command: Sequence[str], folder: Path, said: str) -> str:
    """What git prints; paths that are not UTF-8 keep their bytes.

    Raises:
        RevisionError: git is not installed, or fails: `said` is the message, with git's own reason after it.
    """
    with _started(command, folder, subprocess.DEVNULL) as process:
        out, err = process.communicate()
    if process.returncode:
        reason = os.fsdecode(err).strip().splitlines()
        raise RevisionError(said + (f" (git: {reason[0].removeprefix('fatal: ')})" if reason else ""))
    return os.fsdecode(out)


def _started(command: Sequence[str], folder: Path, stdin: int | IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - git, with words that no user gave but for a revision that is checked
            (*GIT, *command),
            cwd=folder,
            env={**os.environ, **READING},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except FileNotFoundError:
        raise RevisionError("git is not installed, so revisions cannot be compared; name two files") from None
