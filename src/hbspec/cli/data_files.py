"""Data files and profiles as commands name them."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hbspec.cli.command import MisuseError, Parameter

if TYPE_CHECKING:
    from hbspec.dataset.files import DataFile

KINDS = "JSON lines, plain or compressed by gzip or zstd; a folder of such files; `-` for standard input"
FILES = Parameter("files", f"The files of one split: {KINDS}.", metavar="FILE", repeated=True, required=True)
OUTPUT = Parameter("output", "The file to write; standard output if absent.", ("--output", "-o"), "OUT")
PART = Parameter("part", "Write a profile that can be merged: with a digest of each example.", ("--part",), switch=True)


def files_of(words: Sequence[str]) -> tuple[DataFile, ...]:
    """The files that words name.

    Raises:
        MisuseError: a folder without data, or a file that is named twice.
        OSError: one is not there.
    """
    from hbspec.dataset.files import data_files

    try:
        return data_files(words)
    except ValueError as reason:
        raise MisuseError(str(reason)) from None


def document_of(name: str) -> Any:
    """The content of a JSON file.

    Raises:
        MisuseError: it is none.
        OSError: it cannot be read.
    """
    try:
        return json.loads(Path(name).read_bytes())
    except (ValueError, RecursionError):
        raise MisuseError(f"{name} is no JSON") from None


def refuse_other_files(output: str | None) -> None:
    """Let nothing but a profile be written over, and say so before the data are read.

    Raises:
        MisuseError: something else is there, or no folder to write into.
    """
    if output is None:
        return
    path = Path(output)
    if not path.parent.is_dir():
        raise MisuseError(f"{output}: there is no folder {path.parent}; make it, or name another file")
    if os.path.lexists(path) and not _is_profile(path):
        raise MisuseError(f"{output} is already there, and is no profile; name another file")


def _is_profile(path: Path) -> bool:
    from hbspec.plan import read_profile

    try:
        if not path.is_file():  # to read a pipe or a terminal may take for ever
            return False
        read_profile(json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError):
        return False
    return True
