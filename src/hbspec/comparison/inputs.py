"""The files that a spec is made of: those that it extends, and those that its values name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from hbspec.diagnostics import Route, route_text
from hbspec.source import Document
from hbspec.source.paths import UnreadablePathError, read_bytes

LARGEST = 20 << 20
"""Bytes of a file that are compared: more of a file is never read as part of a spec."""
MOST_FILES = 2_000
"""Files of a folder that are compared; a folder with more of them counts as changed."""
LONGEST_PATH = 1_000
TOO_LARGE = "too large"


def inputs(document: Document, root: Path) -> dict[str, str]:
    """The files and folders below a root that may decide what a spec comes to, each with the key that names it.

    Every text in the spec that could be a path is taken for one, so that none is missed: those of files that do not
    exist are compared, too, since they may exist in another version.

    Args:
        document: the spec; its `texts` are the files that it extends, and its own.
        root: the folder of the version that it was read from.
    """
    found = {_below(root, Path.cwd() / file): "" for file in document.texts if not file.startswith(("<", "--"))}
    for route, text in _texts(document.values, ()):
        if len(text) <= LONGEST_PATH and "://" not in text and not {"\n", "\0"} & set(text):
            found.setdefault(_below(root, document.origin(route) / text), route_text(route))
    return {path: key for path, key in found.items() if not path.startswith("..")}


def differ(one: tuple[Path, str], other: tuple[Path, str]) -> bool:
    """Whether two files or folders do not have the same content; two that do not exist have.

    Args:
        one: the folder of a version, and a path in it. A link that leads out of the folder is not followed.
        other: the same of another version.
    """
    mine, theirs = _content(*one), _content(*other)
    return mine != theirs or mine == TOO_LARGE


def _below(root: Path, path: Path) -> str:
    return os.path.relpath(os.path.normpath(path), root)


def _texts(value: Any, route: Route) -> Iterator[tuple[Route, str]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _texts(part, (*route, key))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _texts(part, (*route, number))
    elif isinstance(value, str) and value:
        yield route, value


def _content(root: Path, path: str) -> str | None:
    """A digest of a file, or of the names and contents below a folder; None where there is neither."""
    real = Path(os.path.realpath(root / path))
    if not real.is_relative_to(os.path.realpath(root)):
        return "outside"
    try:
        if not real.is_dir():
            return _digest(real)
        below: list[Path] = []
        for place, folders, files in os.walk(real):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            below += [Path(place) / name for name in sorted(files)]
            if len(below) > MOST_FILES:
                return TOO_LARGE
        return repr([(str(file.relative_to(real)), _digest(file)) for file in below])
    except (OSError, ValueError):
        return None


def _digest(path: Path) -> str | None:
    try:
        data = read_bytes(path, LARGEST)
    except UnreadablePathError:
        return None
    return TOO_LARGE if len(data) > LARGEST else sha256(data).hexdigest()
