"""The folders that commands write to by default."""

from __future__ import annotations

import os
from pathlib import Path, PurePath

from hbspec.cli.command import MisuseError


def default_folder(name: str, purpose: str) -> Path:
    """`build/NAME/PURPOSE` in the working folder.

    Raises:
        MisuseError: the spec's name is not a folder name, and would lead elsewhere.
    """
    if name in (".", "..") or PurePath(name).name != name or "\0" in name:
        raise MisuseError(f"the name {name!r} cannot be used as a folder name; name a folder with -o")
    return Path("build") / name / purpose


def settled(folder: Path) -> Path:
    """The folder that a path with `..` resolves to; any other path unchanged.

    If `missing` does not exist, `missing/..` does not exist for a reader, but is the folder above for a writer that
    creates it. So the path is resolved before it is used. A symbolic link at its end is not followed.
    """
    if ".." not in folder.parts:
        return folder
    if folder.name == "..":
        return Path(os.path.realpath(folder))
    return Path(os.path.realpath(folder.parent)) / folder.name
