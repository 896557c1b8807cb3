"""The folders that a run writes are its alone while it runs. Only the standard library is imported."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from settings import WRITTEN, Folders, RefusedError, option


class Held(NamedTuple):
    """The folders that a run writes, as they were when it began.

    Attributes:
        folders: each with its option, its device and its inode; none on the ranks that hold no lock.
    """

    folders: tuple[tuple[Path, str, tuple[int, int]], ...] = ()

    def moved(self) -> list[str]:
        """What is not where it was: another run may hold the lock on what lies there now, and own what it holds."""
        return [
            f"{name} {folder} is not the folder any more that this run began in: it was moved, removed or replaced; "
            "put it back and start again, or go on from where it lies now"
            for folder, name, began in self.folders
            if _identity(folder) != began
        ]


def writable(folder: Path) -> bool:
    """Whether a folder, which may not exist, can be written; a circle of links or too long a name cannot."""
    for place in (folder, *folder.absolute().parents):
        try:
            place.stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            return False
        return place.is_dir() and os.access(place, os.W_OK)
    return False


def alone_in(folders: Folders) -> AbstractContextManager[Held]:
    """`alone_in_each` of the folders that the shipped script writes."""
    return alone_in_each({option(name): getattr(folders, name) for name in WRITTEN})


@contextmanager
def alone_in_each(folders: Mapping[str, Path]) -> Iterator[Held]:
    """Keeps every other run out of the folders that a run writes, by their options; they are made if need be.

    Two runs that write into one folder at once would delete each other's checkpoints, train on each other's tiny base
    and deliver each other's model. Left out: file systems without locks (`flock`), and hosts that do not see each
    other's. The lock is on a folder and not on its name, so a run asks before it writes whether the folder was `moved`.

    Raises:
        RefusedError: another run writes into one of them now, or one cannot be made.
    """
    with ExitStack() as stack:
        held = []
        for real, name in {folder.resolve(): name for name, folder in folders.items()}.items():
            place = _opened(real, name)
            stack.callback(os.close, place)
            _lock(place, folders[name], name)
            about = os.fstat(place)
            held.append((folders[name], name, (about.st_dev, about.st_ino)))
        yield Held(tuple(held))


def _opened(folder: Path, name: str) -> int:
    """The descriptor of a folder, which is made if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return os.open(folder, os.O_RDONLY)
    except OSError as reason:
        raise RefusedError([f"{folder} cannot be made ({reason.strerror}): pass another {name}"]) from None


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        about = folder.stat()
    except OSError:
        return None
    return about.st_dev, about.st_ino


def _lock(place: int, folder: Path, name: str) -> None:
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        action = f"pass another {name}, or wait for that run to end"
        raise RefusedError([f"another run writes into {name} {folder} now: {action}"]) from None
    except OSError as reason:
        if reason.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL):
            raise
