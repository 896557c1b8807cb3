"""The folders that a run writes are its alone while it runs. Only the standard library is imported."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from settings import WRITTEN, Folders, RefusedError, option


@contextmanager
def alone_in(folders: Folders) -> Iterator[None]:
    """Keeps every other run out of the folders that a run writes, which are made if need be.

    Two runs that write into one folder at once would delete each other's checkpoints, train on each other's tiny base
    and deliver each other's model. Left out: file systems without locks (`flock`), and hosts that do not see each
    other's.

    Raises:
        RefusedError: another run writes into one of them now.
    """
    with ExitStack() as held:
        for folder, name in {getattr(folders, name).resolve(): name for name in WRITTEN}.items():
            folder.mkdir(parents=True, exist_ok=True)
            place = os.open(folder, os.O_RDONLY)
            held.callback(os.close, place)
            _lock(place, getattr(folders, name), option(name))
        yield


def _lock(place: int, folder: Path, name: str) -> None:
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        action = f"pass another {name}, or wait for that run to end"
        raise RefusedError([f"another run writes into {name} {folder} now: {action}"]) from None
    except OSError as reason:
        if reason.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL):
            raise
