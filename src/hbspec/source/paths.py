"""Paths that a spec names: resolved, inside the project, and of the expected type."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_MARKERS = (".git", "pyproject.toml")


class PathError(ValueError):
    """A path that may not or cannot be used; the message gives the reason in one sentence."""


class OutsideProjectError(PathError):
    """The path leads out of the project."""


class UnreadablePathError(PathError):
    """The path does not exist, or cannot be read."""


def project_root(folder: Path) -> Path:
    """The nearest folder at or above `folder` that holds a `.git` or a `pyproject.toml`, else `folder` itself."""
    folder = folder.resolve()
    for candidate in (folder, *folder.parents):
        if any((candidate / marker).exists() for marker in _MARKERS):
            return candidate
    return folder


def contained(path: str, base: Path, root: Path, allow_outside: bool = False, *, folder: bool = False) -> Path:
    """The real path of a regular file (or a folder) that a spec names.

    `path` is relative to `base`. Symbolic links are followed before it is compared with `root`.

    Raises:
        OutsideProjectError: the path leads out of `root`, and `allow_outside` is not set.
        UnreadablePathError: the path does not exist, or is something else: a pipe, a device, a folder.
    """
    shown = f"`{path}`"
    if not path or "\0" in path:
        raise UnreadablePathError(f"{shown} is not a path")
    try:
        real = Path(os.path.realpath(base / path))
        if not allow_outside and not real.is_relative_to(os.path.realpath(root)):
            raise OutsideProjectError(f"{shown} leads out of the project folder {root}")
        mode = real.stat().st_mode
    except OSError as error:
        raise UnreadablePathError(f"{shown} {describe(error)}") from error
    except UnicodeError as error:
        raise UnreadablePathError(f"{shown} is not a path") from error
    expected = stat.S_ISDIR if folder else stat.S_ISREG
    if not expected(mode):
        raise UnreadablePathError(f"{shown} is {_kind(mode)}, not a {'folder' if folder else 'file'}")
    return real


def read_bytes(path: Path, limit: int) -> bytes:
    """At most `limit` + 1 bytes of a regular file, without waiting for a pipe or a device.

    Raises `UnreadablePathError`.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise UnreadablePathError(describe(error)) from error
    except ValueError as error:
        raise UnreadablePathError("is not a path") from error
    try:
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            raise UnreadablePathError(f"is {_kind(mode)}, not a file")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(limit + 1)
    except OSError as error:
        raise UnreadablePathError(describe(error)) from error
    finally:
        os.close(handle)


def describe(error: OSError) -> str:
    """The reason why a file could not be read, as words that follow its name."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "does not exist"
    if isinstance(error, PermissionError):
        return "cannot be read: permission denied"
    if isinstance(error, IsADirectoryError):
        return "is a folder, not a file"
    return f"cannot be read: {(error.strerror or type(error).__name__).lower()}"


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISREG(mode):
        return "a file"
    return "a pipe, a socket or a device"
