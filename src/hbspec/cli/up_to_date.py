"""Whether a compiled folder holds what its spec compiles to now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hbspec.cli.folder import with_list
from hbspec.source.paths import UnreadablePathError, read_bytes
from hbspec.targets.lowering.artifact import Artifact


def differing(artifacts: Sequence[Artifact], folder: Path) -> list[str]:
    """The paths in a folder that do not hold what a compile would leave there now; nothing is written.

    The list of files is among them, so that a file of an earlier compile which is gone now makes a difference.
    """
    return sorted(one.path for one in with_list(artifacts) if not _holds(folder / one.path, one.content))


def _holds(place: Path, content: bytes) -> bool:
    if place.is_symlink() or not place.is_file():
        return False
    try:
        return read_bytes(place, len(content)) == content
    except UnreadablePathError:  # or larger
        return False
