"""Data files to examples, whatever the files are: the one reader of the job and of `hbspec data`."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO

from broken import Broken, Place, rest_of
from folders import CSV, JSON_ARRAY, PARQUET, layout_of_file
from lines import Read, Watch, blocks, lines, opened
from readers import Reader
from records import Record, records
from tables import NotReadError, Numbered, entries, parquet_rows, rows

NOUNS = {JSON_ARRAY: "entry", PARQUET: "row"}
"""What is counted in a file, where it is not its lines."""
Open = Callable[[], AbstractContextManager[Read]]
"""Opens a file, and gives the function that reads it."""
OpenTable = Callable[[], AbstractContextManager[BinaryIO]]
"""Opens a file in which one can go back."""


def examples(
    name: str, reader: Reader, read: Open, table: OpenTable, watch: Watch | None = None
) -> Iterator[Record | Broken]:
    """Every example of a file, or what cannot be used and why; reading goes on behind it.

    Args:
        name: of the file, which says how it is laid out.
        reader: makes the examples.
        read: opens it, to be read once from its beginning.
        table: opens it if it is Parquet, whose end is read first.
        watch: as `lines.py` has it.

    Raises:
        OSError: the file cannot be read.
    """
    kind = layout_of_file(name)
    if kind not in (JSON_ARRAY, CSV, PARQUET):
        yield from records(_lines(read, watch), name, reader)
        return
    number = 0
    noun = NOUNS.get(kind, "line")
    try:
        for number, value in _values(kind, read, table, reader, watch):
            place = Place(name, number, noun)
            yield Broken(place, str(value)) if isinstance(value, NotReadError) else reader(value, place)
    except ValueError as refused:
        yield rest_of(Place(name, number, noun), refused)


def _lines(read: Open, watch: Watch | None) -> Iterator[bytes | str]:
    with read() as reading:
        yield from lines(reading, watch)


def _values(kind: str, read: Open, table: OpenTable, reader: Reader, watch: Watch | None) -> Iterator[Numbered]:
    if kind == PARQUET:
        with table() as file:
            yield from parquet_rows(file)
        return
    with read() as reading:
        if kind == CSV:
            yield from rows(lines(reading, watch), reader.flags)
        else:
            yield from entries(blocks(reading, watch))


def channel_examples(
    path: Path, name: str, reader: Reader, take: Callable[[bytes], object]
) -> Iterator[Record | Broken]:
    """Every example of a file of a job's channel, which is read forward once: S3 is streamed so.

    Args:
        path: of the file.
        name: in messages.
        reader: makes the examples.
        take: is given the bytes of the file as they are read, all of them if it is read to its end.

    Raises:
        OSError: the file cannot be read.
    """

    @contextmanager
    def whole() -> Iterator[BinaryIO]:
        with opened(path, take) as read:
            content = bytearray()
            while block := read(2**20):
                content += block
        yield io.BytesIO(content)

    yield from examples(name, reader, lambda: opened(path, take), whole)
