"""Where a command writes when it is not told."""

from __future__ import annotations

import os
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


def settled(folder: Path) -> Path:
    """The folder that a path with `..` means, without them; any other path as it is written.

    Behind a folder that is missing, `missing/..` does not exist to whoever asks for it, and is the folder above to
    whoever writes there. So it is settled before anything is asked. A link at its end stays a link.
    """
    if ".." not in folder.parts:
        return folder
    if folder.name == "..":
        return Path(os.path.realpath(folder))
    return Path(os.path.realpath(folder.parent)) / folder.name
