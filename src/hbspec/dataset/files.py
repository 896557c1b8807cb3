"""Data files on a command line: single files, folders, or standard input."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from hbspec.dataset.lines import SUFFIXES, FileRefusedError, Watch, file_lines, is_data, lines, unread
from hbspec.dataset.lines import data_files as inside
from hbspec.dataset.records import Broken, Record, records

STANDARD_INPUT = "-"
OPEN_ALREADY = ("/dev/fd/", "/proc/self/fd/", "/dev/stdin")
"""Prefixes of the names that shells give to the output of a command, `<(zcat a.gz)`: pipes that have a writer."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file.

    Attributes:
        name: as the user writes it.
        size: on disk, in bytes; None if unknown.
        beside: of the first file of a folder, the folder and what lies in it that the job does not read, in words.
    """

    name: str
    size: int | None
    beside: tuple[str, str] | None = None

    @property
    def is_passed_over(self) -> bool:
        """Whether the job ignores a file of this name; False for pipes and devices."""
        return Path(self.name).is_file() and not is_data(Path(self.name).name)


def data_files(words: Sequence[str]) -> tuple[DataFile, ...]:
    """The files that a command line names; of a folder, those that the job would read, in the same order.

    Raises:
        OSError: a file does not exist.
        ValueError: a folder contains no data file, or a file is named twice; the message names it.
    """
    found: list[DataFile] = []
    for word in words:
        if word == STANDARD_INPUT:
            found.append(DataFile(word, None))
        elif Path(word).is_dir():
            paths = inside(Path(word))
            if not paths:
                raise ValueError(f"{word} holds no file that ends in {', '.join(SUFFIXES)}")
            rest = unread(Path(word))
            first, *others = (DataFile(str(path), path.stat().st_size) for path in paths)
            found += [replace(first, beside=(word, rest)) if rest else first, *others]
        else:
            found.append(DataFile(word, os.stat(word).st_size))  # noqa: PTH116 - Path would shorten the name in errors
    twice = named_twice(file.name for file in found)
    if twice is not None:
        raise ValueError(f"{twice} is named twice")
    return tuple(found)


def named_twice(names: Iterable[str]) -> str | None:
    """The first name that occurs a second time; None if all differ."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def read_records(files: Iterable[DataFile], watch: Watch | None = None) -> Iterator[Record | Broken]:
    """Every line of every file as a record, or as `Broken` with the reason; reading continues after it.

    Raises:
        OSError: a file cannot be read.
    """
    for file in files:
        yield from records(read_lines(file, watch), file.name)


def read_lines(file: DataFile, watch: Watch | None = None) -> Iterator[bytes | str]:
    """The lines of a file, of standard input or of a pipe that a shell has opened (see `lines`).

    Raises:
        OSError: the file cannot be opened, or read to its end.
        FileRefusedError: not a regular file, not JSON lines, or a part that cannot be decompressed.
    """
    if file.name == STANDARD_INPUT:
        if sys.stdin is None:
            raise FileRefusedError("cannot be read: standard input is closed")
        # one system call at a time: otherwise an interrupt waits until a whole block has arrived
        yield from lines(cast(io.BufferedReader, sys.stdin.buffer).read1, watch)
        return
    try:
        if file.name.startswith(OPEN_ALREADY):
            with open(file.name, "rb", buffering=0) as raw:  # noqa: PTH123 - Path would shorten the name in errors
                yield from lines(raw.read, watch)
        else:
            yield from file_lines(file.name, watch)
    except OSError as reason:  # an error of a read does not name the file
        reason.filename = file.name
        raise
