"""Files and folders written to disk completely or not at all, however the process ends.

New content is written beside its place, to a hidden entry of the same folder (`.hbspec-` and twelve hexadecimal digits
of a hash of the place's name), and renamed to its place in one step. A killed process leaves that entry behind; the
next one that writes to the same place removes it. Writers of one folder wait for each other by a lock (`flock`) on a
hidden file in it, which the system releases with the process. The folder itself is not locked: a training run that
writes into it holds that lock for hours. Without such locks (Windows, some network file systems) concurrent writers are
not kept apart.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

LOCK = ".hbspec-lock"
"""An empty file, there while a writer is at work or was killed."""
NOREPLACE, EXCHANGE = 1, 2
"""Flags of renameat2, https://man7.org/linux/man-pages/man2/rename.2.html"""
HERE = -100  # AT_FDCWD
UNSUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)
"""Errors of a kernel or a file system that does not support such a flag."""


def aside(place: Path) -> Path:
    """The hidden entry beside a place, in which its next content is prepared."""
    return place.with_name(f".hbspec-{sha256(os.fsencode(place.name)).hexdigest()[:12]}")


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other hbspec process writes to a folder, and keep others out.

    A folder that cannot be written is not locked: whoever writes there is told so.
    """
    lock = folder / LOCK
    handle = _locked(lock)
    if handle is None:
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):
            if not os.fstat(handle).st_size:  # else it is somebody's
                lock.unlink()
        os.close(handle)


def _locked(lock: Path) -> int | None:
    """The open file of a lock that this process holds; None where the system lacks locks.

    Whoever held the lock before has deleted the file, so a lock on what is not there any more keeps nobody out.
    """
    try:
        from fcntl import LOCK_EX, flock
    except ImportError:
        return None
    while True:
        try:
            handle = os.open(lock, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
        except OSError:
            return None
        try:
            flock(handle, LOCK_EX)
            if os.path.samestat(os.fstat(handle), os.lstat(lock)):
                return handle
        except FileNotFoundError:
            pass
        except OSError:  # a network file system without locks
            return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


class ChangedError(Exception):
    """A file does not hold what it was to hold when another content takes its place; it is untouched."""


def write_file(place: Path, content: bytes, *, replace: bool, instead_of: bytes | None = None) -> None:
    """Write a file in one step.

    Into a device or a pipe it is written as it is: renaming a file to its place would delete it, for all others, too.
    A link to the file that is replaced stays, and so does that file's mode.

    Args:
        place: where.
        content: of the file.
        replace: whether a file that is there is replaced.
        instead_of: what the replaced file must hold, as seen while no other hbspec process writes there.

    Raises:
        ChangedError: it holds something else.
        FileExistsError: the place is occupied, and `replace` is not set.
        OSError: the system refuses; the previous content is untouched.
    """
    try:
        if replace and is_device(place):
            with place.open("wb") as stream:
                stream.write(content)
            return
        real = place.resolve() if replace and place.is_file() else place
        with alone_in(real.parent):
            if instead_of is not None and real.read_bytes() != instead_of:
                raise ChangedError
            _write_file(aside(real), real, content, replace=replace)
    except OSError as reason:
        reason.filename = str(place)
        raise


def is_device(place: Path) -> bool:
    """Whether something is there, itself or by a link, that is neither a file nor a folder."""
    return place.exists() and not place.is_file() and not place.is_dir()


def _write_file(unfinished: Path, place: Path, content: bytes, *, replace: bool) -> None:
    clear(unfinished)
    mode = stat.S_IMODE(place.stat().st_mode) if replace and place.exists() else None
    try:
        write_through(unfinished, content, mode)
        if replace:
            unfinished.replace(place)
        else:
            move_to_free_place(unfinished, place)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync_folder(place.parent)


def write_through(file: Path, content: bytes, mode: int | None = None) -> None:
    """Write a new file, and wait until it is on the disk. With a mode, nobody else reads it at any moment."""
    with file.open("xb") as stream:
        if mode is not None:
            file.chmod(mode)
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def swap_folder(new: Path, place: Path, spare: Path) -> None:
    """Move the folder `new` to `place`; the previous folder is then at `new` or at `spare`.

    If the system can exchange two folders, `place` holds one at every moment. Otherwise `place` is empty for a moment;
    if the process ends then, `restore` moves the folder at `spare` back.

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
    """Move back the folder that an interrupted `swap_folder` moved to `spare`."""
    if spare.is_dir() and not os.path.lexists(place):
        spare.rename(place)


def move_to_free_place(source: Path, place: Path) -> None:
    """Rename without replacing anything.

    Raises:
        FileExistsError: the place is occupied.
    """
    if _renameat2(source, place, NOREPLACE):
        return
    if os.path.lexists(place):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(place))
    source.rename(place)


def clear(entry: Path) -> None:
    """Remove a file, a link, or a folder with its content, even if the folder is write-protected.

    Raises:
        OSError: the entry cannot be removed.
    """
    if entry.is_symlink() or not entry.is_dir():
        entry.unlink(missing_ok=True)
        return
    for place, _, _ in os.walk(entry):
        Path(place).chmod(0o700)
    shutil.rmtree(entry)


def sync_folder(folder: Path) -> None:
    """Flush the entries of a folder to the disk, if the system supports it."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _renameat2(source: Path, target: Path, flag: int) -> bool:
    """Rename with a flag of Linux; return False if the system does not support it.

    Raises:
        OSError: the system refused the rename.
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
