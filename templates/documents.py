"""A run's notes to its next start: JSON files that are on the disk whole or not at all, and are read without trust.

Also what a note speaks of: files that are on the disk before it is, and the room there where they cannot be.

Only the standard library is imported.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from records import MAX_NESTING, nesting
from settings import RefusedError

FORMAT_VERSION = 1
MAX_BYTES = 16 * 2**20
"""A checkpoint of a hundred thousand files has a manifest of this size."""

UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError)
"""What a file that is missing, damaged or not one of ours raises, in `load` or where its content is used."""


def load(path: Path) -> dict[str, Any]:
    """The content of a file that `store` wrote.

    Raises:
        FileNotFoundError: the file does not exist.
        OSError, ValueError, LookupError, TypeError: it is not such a file (see `UNREADABLE`).
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ValueError(f"it has {size} bytes, more than {MAX_BYTES}")
    content = parsed(path)
    if content["format_version"] != FORMAT_VERSION:
        raise ValueError(f"it has format {content['format_version']}, and this script reads {FORMAT_VERSION}")
    return content


def parsed(path: Path) -> dict[str, Any]:
    """The content of a JSON file of any size, which may not be a mapping.

    Raises:
        OSError, ValueError: it cannot be read, or it is not JSON.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("it is not a regular file")  # a pipe would be waited for
    text = path.read_bytes()
    if nesting(text) > MAX_NESTING:
        raise ValueError(f"it is nested more than {MAX_NESTING} deep")
    content: dict[str, Any] = json.loads(text.decode("utf-8"))
    return content


def store(path: Path, content: Mapping[str, Any]) -> None:
    """Writes a file that is there whole or not at all, whenever the process is killed; a link is replaced.

    Hosts that share the folder may write the same at the same time: each has a file of its own until it is whole.
    """
    own = os.environ.get("RANK", "0")
    unfinished = path.with_name(f".{path.name}.{own}.tmp")  # hidden: what a killed process leaves is nobody's file
    unfinished.unlink(missing_ok=True)
    with unfinished.open("x", encoding="utf-8") as file:
        json.dump({"format_version": FORMAT_VERSION, **content}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    _sync(path.parent.resolve())


def flush(folder: Path) -> None:
    """Waits until a folder, all that it holds and its name are on the disk; links are not followed.

    Else a machine that loses power, or an instance that is taken back, could leave empty files whose successors are
    deleted already.
    """
    for place, _, names in os.walk(folder):
        for name in names:
            _sync(Path(place, name))
        _sync(Path(place))
    _sync(folder.parent.resolve())


def _sync(path: Path) -> None:
    """Of a regular file or a folder. Some file systems cannot sync a folder, and need not."""
    with suppress(FileNotFoundError):  # SageMaker takes its markers away meanwhile
        kind = path.lstat().st_mode
        if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
            return
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        except OSError:
            if stat.S_ISREG(kind):
                raise
        finally:
            os.close(handle)


@contextmanager
def saying_room(place: Path) -> Iterator[None]:
    """Adds to what ends a save where it happened, and how much room is left.

    On a full disk torch (2.13) says `unexpected pos 22912 vs 22800`, and safetensors names no file.
    """
    try:
        yield
    except RefusedError:
        raise
    except Exception as reason:
        nearest = next(folder for folder in (place, *place.absolute().parents) if folder.is_dir())
        with suppress(OSError):  # it may vanish meanwhile
            free = shutil.disk_usage(nearest).free
            reason.add_note(f"{place} could not be saved: {free} bytes are free there; earlier checkpoints are whole")
        raise
