"""Where a command writes when it is not told."""

from __future__ import annotations

from pathlib import Path, PurePath

from hbspec.cli.command import MisuseError


def default_folder(name: str, purpose: str) -> Path:
    """`build/NAME/PURPOSE` in the working folder.

    Raises:
        MisuseError: the spec's name would lead somewhere else.
    """
    if name in (".", "..") or PurePath(name).name != name or "\0" in name:
        raise MisuseError(f"the name {name!r} cannot be used as a folder name; choose a folder with -o")
    return Path("build") / name / purpose
