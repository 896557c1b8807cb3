"""Where the configuration of a folder is.

It is looked for in the folder and those above it, up to that of the repository (which holds `.git`); of one folder,
`hbspec.toml` is taken before `pyproject.toml`, which counts only if it has a table `tool.hbspec`.
"""

from __future__ import annotations

from pathlib import Path

OWN, SHARED = "hbspec.toml", "pyproject.toml"
LARGEST = 1 << 20
"""Bytes of a file that is read."""


def found_from(folder: Path) -> Path | None:
    """The file that configures commands in a folder; None where there is none."""
    for place in (folder, *folder.parents):
        if (place / OWN).is_file():
            return place / OWN
        shared = place / SHARED
        if shared.is_file() and _has_table(shared):
            return shared
        if (place / ".git").exists():
            return None
    return None


def _has_table(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return b"tool.hbspec" in opened.read(LARGEST)
    except OSError:
        return False
