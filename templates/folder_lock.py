"""A checkpoint folder is one run's while it trains. Only the standard library is imported."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from settings import RefusedError


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keeps every other run out of a folder, which is made if need be.

    Two runs that save into one folder at once would delete each other's checkpoints and deliver each other's model.
    Left out: file systems without locks (`flock`), and hosts that do not see each other's.

    Raises:
        RefusedError: another run saves its checkpoints there now.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = os.open(folder, os.O_RDONLY)
    try:
        _lock(place, folder)
        yield
    finally:
        os.close(place)


def _lock(place: int, folder: Path) -> None:
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        action = "use another checkpoint folder, or wait for its end"
        raise RefusedError([f"another run saves its checkpoints in {folder} now: {action}"]) from None
    except OSError as reason:
        if reason.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL):
            raise
