"""A split in parts that are profiled apart: whole files, and blocks of large files of lines on the disk.

`profile_part` runs where an engine runs it, which must see the files under the same names and have the same hbspec.
"""

from __future__ import annotations

import errno
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from hbspec import __version__
from hbspec.dataset.files import OPEN_ALREADY, STANDARD_INPUT, DataFile, read_records
from hbspec.dataset.folders import JSON_LINES, layout_of_file
from hbspec.dataset.lines import FOREIGN, GZIP, HEAD_BYTES, ZSTD
from hbspec.dataset.measures import Measure
from hbspec.dataset.merging import merge
from hbspec.dataset.profile import DataProfile, profile_data
from hbspec.dataset.readers import Reader
from hbspec.dataset.records import Layout
from hbspec.dataset.tally import Tallies
from hbspec.mixing import weight_of

PART_BYTES = 64 * 2**20
"""A file of lines is split into blocks of about this size."""
PREFACE = b"\n" * HEAD_BYTES
"""Stands before a block, whose first bytes would otherwise be taken for those of a file."""


@dataclass(slots=True)
class LineBlock:
    """Some lines of a file on the disk, as a `ByteSource`.

    Attributes:
        path: of the file.
        start: the place of the first line.
        end: the place behind the last one.
        lines: the ends of lines that were read.
    """

    path: str
    start: int
    end: int
    lines: int = 0

    def open(self, *, anywhere: bool = False) -> AbstractContextManager[BinaryIO]:
        """As `ByteSource` has it; only to be read once."""
        if anywhere:
            raise ValueError("a block of lines is read from its beginning")
        return self._open()

    @contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        self.lines = 0
        with Path(self.path).open("rb", buffering=0) as file:
            file.seek(self.start)
            yield cast(BinaryIO, _BlockStream(file, self))


class _BlockStream(io.RawIOBase):
    """The bytes of a block, behind `PREFACE` unless the file begins with it."""

    def __init__(self, file: io.FileIO, block: LineBlock) -> None:
        self._file, self._block, self._left = file, block, block.end - block.start
        self._preface = PREFACE if block.start else b""

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """As `io.RawIOBase` has it.

        Raises:
            OSError: the file has become shorter.
        """
        if self._preface:
            some, self._preface = self._preface[: len(buffer)], self._preface[len(buffer) :]
        else:
            some = self._file.read(min(len(buffer), self._left))
            if not some and self._left and len(buffer):
                raise OSError(errno.EIO, "was shortened while it was read; run the command again", self._block.path)
            self._left -= len(some)
            self._block.lines += some.count(b"\n")
        buffer[: len(some)] = some
        return len(some)


class DataPart(NamedTuple):
    """What one call of `profile_part` profiles.

    Attributes:
        file: the file, or a block of it.
        layout: of all examples of the split; None if none is recognised.
        columns: theirs, by the names of the type.
        weights: how often the examples of files are in an epoch.
        tokenizer: its name where the part is profiled; None for an estimate.
        template: the text of a chat template for it.
        version: of the hbspec that merges the parts.
    """

    file: DataFile
    layout: Layout | None
    columns: Mapping[str, str]
    weights: Mapping[str, float]
    tokenizer: str | None = None
    template: str | None = None
    version: str = __version__


class ProfiledPart(NamedTuple):
    """The profile of a part, its findings, and the number of its lines if it is a block."""

    profile: DataProfile
    tallies: Tallies
    lines: int


class UnprofiledPart(NamedTuple):
    """Why a part was not profiled: the file, or what else is at fault, and what is wrong."""

    where: str
    what: str


def parts_of(
    files: Sequence[DataFile],
    reader: Reader,
    columns: Mapping[str, str],
    weights: Mapping[str, float],
    tokenizer: str | None = None,
    template: str | None = None,
    *,
    size: int = PART_BYTES,
) -> list[DataPart]:
    """The parts of a split, in order; the first example decides the layout of all, as in the whole.

    Args:
        files: of the split.
        reader: as `profile_data` has it; it reads up to the first example.
        columns: those of the reader.
        weights: as `profile_data` has it.
        tokenizer: as `DataPart` has it.
        template: as `DataPart` has it.
        size: about the number of bytes of a block.

    Raises:
        OSError: a file cannot be read.
        ValueError: a file is a pipe, which only this process can read.
    """
    piped = next((file.name for file in files if file.name.startswith((STANDARD_INPUT, *OPEN_ALREADY))), None)
    if piped is not None and not Path(piped).is_file():
        raise ValueError(f"{piped} is read by this process only; name a file that the workers see")
    for _ in read_records(files, None, reader):
        if reader.layout is not None:
            break
    blocks = (block for file in files for block in _blocks(file, weights, size))
    return [DataPart(block, reader.layout, dict(columns), dict(weights), tokenizer, template) for block in blocks]


def profile_part(part: DataPart) -> ProfiledPart | UnprofiledPart:
    """The profile of a part, or why there is none: as a value, since engines wrap what is raised."""
    if part.version != __version__:
        return UnprofiledPart("a worker", f"has hbspec {__version__}, and not {part.version}")
    try:
        measure = None if part.tokenizer is None else _measure(part.tokenizer, part.template)
        reader = Reader(part.layout, part.columns)
        profile, tallies = profile_data((part.file,), measure, None, reader, part.weights)
    except OSError as reason:
        return UnprofiledPart(str(reason.filename or part.file.name), reason.strerror or str(reason))
    except ValueError as reason:  # the worker lacks the tokenizer
        return UnprofiledPart("a worker", str(reason))
    block = part.file.source
    return ProfiledPart(profile, tallies, block.lines if isinstance(block, LineBlock) else 0)


def joined(parts: Sequence[DataPart], profiled: Iterable[ProfiledPart]) -> tuple[DataProfile, Tallies]:
    """The profile of the whole, and its findings, with the numbers of lines in their files.

    Raises:
        ValueError: the parts were measured in different ways.
    """
    tallies, profiles, before = Tallies("data"), [], 0
    for part, each in zip(parts, profiled, strict=True):
        block = part.file.source
        if isinstance(block, LineBlock) and block.start:
            tallies.join(each.tallies, before - len(PREFACE))
        else:
            tallies.join(each.tallies)
            before = 0
        before += each.lines
        profiles.append(each.profile)
    return merge(profiles), tallies


@cache
def _measure(tokenizer: str, template: str | None) -> Measure:
    from hbspec.dataset.vocabulary import counting

    return counting(tokenizer, template)


def _blocks(file: DataFile, weights: Mapping[str, float], size: int) -> Iterator[DataFile]:
    """The file, or its blocks if it is large, plain text on the disk, and weighs as it is."""
    is_lines = file.source is None and layout_of_file(file.name) == JSON_LINES and Path(file.name).is_file()
    if not is_lines or (file.size or 0) <= size or weight_of(file.below, weights) != 1:
        yield file
        return
    with Path(file.name).open("rb") as content:
        head = content.read(HEAD_BYTES)
        if head.startswith((GZIP, ZSTD, *FOREIGN)) or b"\0" in head:
            yield file
            return
        end = content.seek(0, io.SEEK_END)
        start = 0
        while start < end:
            behind = _line_start(content, start + size, end)
            yield replace(file, size=behind - start, source=LineBlock(file.name, start, behind))
            start = behind


def _line_start(file: BinaryIO, place: int, end: int) -> int:
    """The place of the first line that begins there or later; the end where there is none."""
    if place >= end:
        return end
    file.seek(place - 1)
    while (line := file.readline(io.DEFAULT_BUFFER_SIZE)) and not line.endswith(b"\n"):
        pass
    return min(file.tell(), end)
