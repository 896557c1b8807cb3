"""The folder in which a command works for a while: new, its own, and removed when the command ends.

A process that is killed leaves it behind, with a marker file. The next one that works there clears it away, but nothing
that has no marker, and nothing that another process works in: the marker is locked (`flock`) while it is used. Without
such locks (Windows, some network file systems) two processes in one folder are not kept apart.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hbspec.cli.command import MisuseError
from hbspec.cli.whole import clear

MARKER = ".hbspec-work"


@contextmanager
def work_folder(place: Path, kept: str, kept_after: type[Exception]) -> Iterator[Path]:
    """The folder, empty but for its marker; what is in it is removed at the end.

    Args:
        place: where; created if it does not exist.
        kept: the name of a file that stays, with the folder, after an error.
        kept_after: that error.

    Raises:
        MisuseError: the place is a file, holds files of somebody else, or another process works in it.
    """
    if place.exists() and not place.is_dir():
        raise MisuseError(f"{place} is not a folder; name another with --work")
    new = not place.exists()
    if not new and any(place.iterdir()) and not (place / MARKER).is_file():
        raise MisuseError(f"{place} holds files that no measurement has left there; name an empty folder with --work")
    place.mkdir(parents=True, exist_ok=True)
    handle = _locked(place / MARKER)
    if handle is None:
        raise MisuseError(f"another hbspec measure works in {place}; name another folder with --work")
    stays: tuple[str, ...] = ()
    try:
        _empty(place, ())
        yield place.absolute()
    except kept_after:
        stays = (kept,)
        raise
    finally:
        _empty(place, stays)
        if not (stays and (place / kept).exists()):
            (place / MARKER).unlink(missing_ok=True)
            if new:
                place.rmdir()
        os.close(handle)


def _empty(place: Path, stays: tuple[str, ...]) -> None:
    """Remove what a folder holds, but for its marker and some names."""
    for entry in place.iterdir():
        if entry.name not in (MARKER, *stays):
            clear(entry)


def _locked(marker: Path) -> int | None:
    """The open marker, locked where the system has locks; None if another process holds it."""
    handle = os.open(marker, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        from fcntl import LOCK_EX, LOCK_NB, flock

        flock(handle, LOCK_EX | LOCK_NB)
    except ImportError:
        return handle
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError:  # a file system without locks
        return handle
    return handle
