"""Files and folders onto the disk whole or not at all, whatever ends the process on the way.

What is new is written beside its place, in a hidden entry of the same folder (`.hbspec-` and twelve digits of the
place's name), and moved to it in one step. A process that is killed leaves that entry behind; the next one that writes
to the same place clears it away. Writers of one folder wait for each other by a lock on it (`flock`), which the system
releases with the process. Without such a lock (Windows, some network file systems) two at a time are not kept apart.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

NOREPLACE, EXCHANGE = 1, 2
"""Flags of renameat2, https://man7.org/linux/man-pages/man2/rename.2.html"""
HERE = -100  # AT_FDCWD
UNSUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)
"""What a kernel or a file system without such a flag answers."""


def aside(place: Path) -> Path:
    """The hidden entry beside a place in which its next content is made."""
    return place.with_name(f".hbspec-{sha256(os.fsencode(place.name)).hexdigest()[:12]}")


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other hbspec writes into a folder, and let none begin.

    Raises:
        OSError: there is no such folder, or it may not be read.
    """
    try:
        from fcntl import LOCK_EX, flock
    except ImportError:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a network file system that locks no folders
            flock(handle, LOCK_EX)
        yield
    finally:
        os.close(handle)


def write_file(place: Path, content: bytes, *, replace: bool) -> None:
    """Put a file in its place.

    Raises:
        FileExistsError: something is there, and `replace` is not set.
        OSError: the system refuses; what was there is untouched.
    """
    unfinished = aside(place)
    try:
        with alone_in(place.parent):
            _write_file(unfinished, place, content, replace=replace)
    except OSError as reason:
        reason.filename = str(place)
        raise


def _write_file(unfinished: Path, place: Path, content: bytes, *, replace: bool) -> None:
    clear(unfinished)
    try:
        write_through(unfinished, content)
        if replace:
            unfinished.replace(place)
        else:
            move_to_free_place(unfinished, place)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync_folder(place.parent)


def write_through(file: Path, content: bytes) -> None:
    """Write a new file, and wait until it is on the disk."""
    with file.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def swap_folder(new: Path, place: Path, spare: Path) -> None:
    """Put the folder `new` in the place of a folder, which then lies at `new` or at `spare`.

    Where the system can exchange two folders, there is one in its place at every moment. Where it cannot, nothing is
    there for a moment, and `restore` brings back what lies at `spare` if that moment was the last.

    Raises:
        OSError: the system refuses; nothing has changed.
    """
    if not os.path.lexists(place):
        new.rename(place)
    elif not _renameat2(new, place, EXCHANGE):
        place.rename(spare)
        new.rename(place)
    sync_folder(place.parent)


def restore(spare: Path, place: Path) -> None:
    """What `swap_folder` moved away and put nothing in place of, back where it was."""
    if spare.is_dir() and not os.path.lexists(place):
        spare.rename(place)


def move_to_free_place(source: Path, place: Path) -> None:
    """Rename, but over nothing.

    Raises:
        FileExistsError: something is there.
    """
    if _renameat2(source, place, NOREPLACE):
        return
    if os.path.lexists(place):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(place))
    source.rename(place)


def clear(entry: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it, also where the right to write was taken away.

    Raises:
        OSError: it cannot be removed.
    """
    if entry.is_symlink() or not entry.is_dir():
        entry.unlink(missing_ok=True)
        return
    for place, _, _ in os.walk(entry):
        Path(place).chmod(0o700)
    shutil.rmtree(entry)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder reach the disk, where the system can do that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _renameat2(source: Path, target: Path, flag: int) -> bool:
    """Linux's rename with a flag; False where there is no such call.

    Raises:
        OSError: it was refused.
    """
    import ctypes

    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):  # another system, or a C library without it
        return False
    if call(HERE, os.fsencode(source), HERE, os.fsencode(target), flag) == 0:
        return True
    code = ctypes.get_errno()
    if code in UNSUPPORTED:
        return False
    raise OSError(code, os.strerror(code), str(target))
