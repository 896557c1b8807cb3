"""Files and folders on a command line to the specs they mean."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from hbspec.source import defects
from hbspec.source.limits import MAX_BYTES
from hbspec.source.load import STDIN
from hbspec.source.paths import UnreadablePathError, read_bytes
from hbspec.source.problems import Problems

_SUFFIXES = (".yaml", ".yml")
_MARK = rb"""(?m)^(?:\xef\xbb\xbf)?\{?["']?hbspec["']?[ \t]*:"""


def discover(paths: Sequence[str]) -> list[str]:
    """The specs that paths mean: a file and `-` themselves, a folder every spec below it, in the order of their names.

    Below a folder a spec is a file `*.yaml` or `*.yml` with a key `hbspec` at its top. Hidden files and folders,
    and links that lead out of the folder, are passed over. No spec comes twice.

    Raises:
        SourceError: (`unreadable`) a path does not exist, or a folder holds no spec.
    """
    problems = Problems()
    found: dict[str, str] = {}
    for path in paths:
        specs = [path]
        if path != STDIN and os.path.isdir(path):  # noqa: PTH112 - a name with a NUL is a missing file, not an error
            specs = list(_specs_below(path))
            if not specs:
                message = f"the folder `{path}` holds no spec"
                help_ = "Name a file, or a folder with a *.yaml that begins with `hbspec: 1`"
                problems.add(defects.UNREADABLE_FILE, path, message, help_)
        elif path != STDIN and not os.path.exists(path):  # noqa: PTH110 - likewise
            problems.add(defects.UNREADABLE_FILE, path, f"`{path}` does not exist", "Give the path of a spec file")
            continue
        for spec in specs:
            found.setdefault(spec if spec == STDIN else os.path.realpath(spec), spec)
    if problems.diagnostics:
        raise problems.error(unreadable=True)
    return list(found.values())


def _specs_below(folder: str) -> Iterator[str]:
    real = os.path.realpath(folder)
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(place) / name
            if name.startswith(".") or not name.endswith(_SUFFIXES):
                continue
            if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(real):
                continue
            if path.is_file() and looks_like_spec(path):
                yield str(path)


def looks_like_spec(path: Path) -> bool:
    """Whether `hbspec:` begins a line; a file that cannot be read counts, so that somebody says so."""
    try:
        return re.search(_MARK, read_bytes(path, MAX_BYTES)) is not None
    except UnreadablePathError:
        return True
