"""Data files as a command line names them: one by one, by their folder, or standard input."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from hbspec.dataset.lines import SUFFIXES, FileRefusedError, Watch, file_lines, is_data, lines
from hbspec.dataset.lines import data_files as inside
from hbspec.dataset.records import Broken, Record, records

STANDARD_INPUT = "-"
OPEN_ALREADY = ("/dev/fd/", "/proc/self/fd/", "/dev/stdin")
"""How shells name the output of a command, `<(zcat a.gz)`: a pipe, but one that somebody writes to."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file: its name as the user would write it, and its size on disk where that is known."""

    name: str
    size: int | None

    @property
    def is_passed_over(self) -> bool:
        """Whether a job does not read a file of this name; pipes and devices have none."""
        return Path(self.name).is_file() and not is_data(Path(self.name).name)


def data_files(words: Sequence[str]) -> tuple[DataFile, ...]:
    """The files that a command line names; of a folder those that a job would read of it, in the same order.

    Raises:
        OSError: one is not there.
        ValueError: a folder holds none, or a file is named twice; the message says which.
    """
    found: list[DataFile] = []
    for word in words:
        if word == STANDARD_INPUT:
            found.append(DataFile(word, None))
        elif Path(word).is_dir():
            paths = inside(Path(word))
            if not paths:
                raise ValueError(f"{word} holds no file that ends in {', '.join(SUFFIXES)}")
            found += [DataFile(str(path), path.stat().st_size) for path in paths]
        else:
            found.append(DataFile(word, os.stat(word).st_size))  # noqa: PTH116 - Path would shorten the name in errors
    twice = named_twice(file.name for file in found)
    if twice is not None:
        raise ValueError(f"{twice} is named twice")
    return tuple(found)


def named_twice(names: Iterable[str]) -> str | None:
    """The first name that comes a second time."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def read_records(files: Iterable[DataFile], watch: Watch | None = None) -> Iterator[Record | Broken]:
    """Every line of every file; what cannot be used is said, and the rest goes on.

    Raises:
        OSError: a file cannot be read.
    """
    for file in files:
        yield from records(read_lines(file, watch), file.name)


def read_lines(file: DataFile, watch: Watch | None = None) -> Iterator[bytes | str]:
    """As `lines`, of a file, of standard input or of what a shell has opened.

    Raises:
        OSError: the file cannot be opened, or read to its end.
        FileRefusedError: it is not a regular file, its bytes are not JSON lines, or the rest cannot be decompressed.
    """
    if file.name == STANDARD_INPUT:
        if sys.stdin is None:
            raise FileRefusedError("is not there: standard input is closed")
        # one system call at a time, or an interrupt is not heard before a whole block has come
        yield from lines(cast(io.BufferedReader, sys.stdin.buffer).read1, watch)
        return
    try:
        if file.name.startswith(OPEN_ALREADY):
            with open(file.name, "rb", buffering=0) as raw:  # noqa: PTH123 - Path would shorten the name in errors
                yield from lines(raw.read, watch)
        else:
            yield from file_lines(file.name, watch)
    except OSError as reason:  # of a read it does not name the file
        reason.filename = file.name
        raise
