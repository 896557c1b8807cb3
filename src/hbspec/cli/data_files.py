"""Data files and profiles that are named on the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hbspec.cli.command import MisuseError, Parameter

if TYPE_CHECKING:
    from hbspec.dataset.files import DataFile

KINDS = (
    "JSON lines, JSON, CSV or Parquet, text also compressed with gzip or zstd; a folder of them; `-` for lines; "
    "s3:// or hf://, also of a folder/"
)
FILES = Parameter("files", f"The files of one split: {KINDS}.", metavar="FILE", repeated=True, required=True)
GIVE = "give files that hold examples"
OUTPUT = Parameter("output", "The file to write; standard output by default.", ("--output", "-o"), "OUT")
PART = Parameter(
    "part", "Include a digest of each example, so that the profile can be merged.", ("--part",), switch=True
)


def files_of(words: Sequence[str]) -> tuple[DataFile, ...]:
    """The data files that words name.

    Raises:
        MisuseError: a folder holds no data, or a file is named twice.
        OSError: a file does not exist, or a remote one cannot be read.
    """
    from hbspec.dataset.files import data_files

    try:
        return data_files(words, _elsewhere)
    except ValueError as reason:
        raise MisuseError(str(reason)) from None


def _elsewhere(url: str) -> Sequence[DataFile]:
    from hbspec.remote import remote_files

    return remote_files(url)


def document_of(name: str) -> Any:
    """The content of a JSON file.

    Raises:
        MisuseError: the file is not JSON.
        OSError: the file cannot be read.
    """
    try:
        return json.loads(Path(name).read_bytes())
    except (ValueError, RecursionError):
        raise MisuseError(f"{name} is not JSON") from None


def refuse_other_files(output: str | None) -> None:
    """Refuse to overwrite any file but a profile, before the data are read.

    Raises:
        MisuseError: another file exists at the path, or the folder does not exist.
    """
    if output is None:
        return
    path = Path(output)
    if not path.parent.is_dir():
        raise MisuseError(f"{output}: the folder {path.parent} does not exist; create it, or name another file")
    if os.path.lexists(path) and not is_profile(path):
        raise MisuseError(f"{output} already exists and is not a profile; name another file")


def is_profile(path: Path) -> bool:
    """Whether a file holds a profile of training data."""
    from hbspec.plan import read_profile

    try:
        if not path.is_file():  # reading a pipe or a terminal may never end
            return False
        read_profile(json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError):
        return False
    return True
