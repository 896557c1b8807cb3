"""Data files on a command line: single files, folders, standard input, or files elsewhere by their URL."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from hbspec.dataset.broken import Broken, FileRefusedError
from hbspec.dataset.folders import SHOWN_SUFFIXES, incomplete, is_data, unread
from hbspec.dataset.folders import data_files as inside
from hbspec.dataset.lines import Read, Watch, lines, opened
from hbspec.dataset.readers import Reader
from hbspec.dataset.reading import examples
from hbspec.dataset.records import Record

STANDARD_INPUT = "-"
OPEN_ALREADY = ("/dev/fd/", "/proc/self/fd/", "/dev/stdin")
"""Prefixes of the names that shells give to the output of a command, `<(zcat a.gz)`: pipes that have a writer."""

REMOTE = ("s3://", "hf://")
"""Beginnings of the URLs of files that are not on a disk."""


class ByteSource(Protocol):
    """Where a file lies that is not read from a disk, or not whole."""

    def open(self, *, anywhere: bool = False) -> AbstractContextManager[BinaryIO]:
        """Its bytes, to be read once from the beginning, or anywhere.

        Raises:
            OSError: they cannot be read; the error names the file.
        """


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file.

    Attributes:
        name: as the user writes it.
        size: on disk, in bytes; None if unknown.
        below: its name in the folder that the user names, with slashes; its own name if the user names the file.
        beside: of the first file of a folder, the folder and what lies in it that the job does not read, in words.
        source: reads it; None for a file on a disk.
    """

    name: str
    size: int | None
    below: str = ""
    beside: tuple[str, str] | None = None
    source: ByteSource | None = None

    @property
    def is_passed_over(self) -> bool:
        """Whether the job ignores a file of this name; False for pipes and devices."""
        return (self.source is not None or Path(self.name).is_file()) and not is_data(Path(self.name).name)


Elsewhere = Callable[[str], Sequence[DataFile]]
"""The files at a URL that begins as one of `REMOTE`."""


def data_files(words: Sequence[str], elsewhere: Elsewhere | None = None) -> tuple[DataFile, ...]:
    """The files that a command line names; of a folder, those that the job would read, in the same order.

    Args:
        words: names of files and folders, `-`, or URLs.
        elsewhere: finds the files of a URL; None where URLs are not read.

    Raises:
        OSError: a file does not exist.
        ValueError: a folder contains no data file, or a file is named twice; the message names it.
    """
    found: list[DataFile] = []
    for word in words:
        if word == STANDARD_INPUT:
            found.append(DataFile(word, None))
        elif elsewhere is not None and word.startswith(REMOTE):
            found += elsewhere(word)
        elif Path(word).is_dir():
            paths = inside(Path(word))
            if not paths:
                raise ValueError(f"{word} holds no file that ends in {SHOWN_SUFFIXES}; name another folder")
            rest = unread(Path(word))
            first, *others = (
                DataFile(str(path), path.stat().st_size, path.relative_to(word).as_posix()) for path in paths
            )
            found += [replace(first, beside=(word, rest)) if rest else first, *others]
        else:
            found.append(DataFile(word, os.stat(word).st_size, Path(word).name))  # noqa: PTH116 - Path would shorten the name in errors
    twice = named_twice(file.name for file in found)
    if twice is not None:
        raise ValueError(f"{twice} is named twice")
    return tuple(found)


def lacking(files: Iterable[DataFile]) -> str | None:
    """The shards that are missing, in words; None if none is."""
    said = incomplete(Path(file.name) for file in files)
    # a path has one slash where a URL has two
    return None if said is None else re.sub(r"'(s3|hf):/", r"'\1://", said)


def named_twice(names: Iterable[str]) -> str | None:
    """The first name that occurs a second time; None if all differ."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def read_records(
    files: Iterable[DataFile], watch: Watch | None = None, reader: Reader | None = None
) -> Iterator[Record | Broken]:
    """Every example of every file, or what is `Broken` with the reason; reading continues after it.

    Args:
        files: of one split, or of several.
        watch: called with the number of bytes after each read.
        reader: makes the examples; one that takes the layout of the first by default.

    Raises:
        OSError: a file cannot be read.
    """
    make = reader or Reader()
    for file in files:
        yield from examples(file.name, make, partial(_opened, file), partial(_table, file, watch), watch)


def read_lines(file: DataFile, watch: Watch | None = None) -> Iterator[bytes | str]:
    """The lines of a file of lines (see `lines`).

    Raises:
        OSError: the file cannot be opened, or read to its end.
        FileRefusedError: not a regular file, not text, or a part that cannot be decompressed.
    """
    with _opened(file) as read:
        yield from lines(read, watch)


@contextmanager
def _opened(file: DataFile) -> Iterator[Read]:
    """The function that reads a file, standard input, or a pipe that a shell has opened.

    Raises:
        OSError: the file cannot be opened, or read to its end.
        FileRefusedError: not a regular file.
    """
    if file.source is not None:
        with file.source.open() as remote:
            yield remote.read
        return
    if file.name == STANDARD_INPUT:
        if sys.stdin is None:
            raise FileRefusedError("cannot be read: standard input is closed", "name a file")
        # one system call at a time: otherwise an interrupt waits until a whole block has arrived
        yield cast(io.BufferedReader, sys.stdin.buffer).read1
        return
    try:
        if file.name.startswith(OPEN_ALREADY):
            with open(file.name, "rb", buffering=0) as raw:  # noqa: PTH123 - Path would shorten the name in errors
                yield raw.read
        else:
            with opened(file.name) as read:
                yield read
    except OSError as reason:  # an error of a read does not name the file
        reason.filename = file.name
        raise


@contextmanager
def _table(file: DataFile, watch: Watch | None) -> Iterator[BinaryIO]:
    """A file in which one can go back; the watch is told of all of it at its end."""
    if file.source is not None:
        with file.source.open(anywhere=True) as remote:
            yield remote
    else:
        with opened(file.name), open(file.name, "rb") as raw:  # noqa: PTH123 - likewise
            yield raw
    if watch is not None:
        watch(file.size or 0)
