"""Lines of a log as they come: from a file, from a pipe, or from whatever else yields `LogLine`s.

This is the one form in which a source plugs in: an iterator of `LogLine`, each with its time where the source knows it
(or of `LogBlock`, many at once without), and of None where nothing new has come for a moment, so that whoever watches
can look at the clock.
"""

from __future__ import annotations

import os
import re
import select
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from typing import NamedTuple

LONGEST = 64 << 10
"""Bytes of a line that are kept; the rest of a longer one is passed over."""
CHUNK = 1 << 20
PAUSE = 0.5
"""Seconds without anything new after which a source says so."""
SNIFFED = 4096
"""First bytes, by which a file that is not a text is recognised."""
PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip", b"BZh": "bzip2"}
WIDE = (b"\xff\xfe", b"\xfe\xff")

STAMP = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?(?=\s)")


class NotALogError(ValueError):
    """A file that is not a text, or cannot be read; the message says what it is."""


class LogLine(NamedTuple):
    """A line of a log.

    Attributes:
        text: its bytes, without the line break, at most `LONGEST`.
        time: when it was written, in seconds since 1970; None where that is not known.
        whole: whether it ends with a line break and was not shortened.
    """

    text: bytes
    time: float | None = None
    whole: bool = True


class LogBlock(NamedTuple):
    """Many whole lines of a log, each with its line break, none of which is shortened or ends with a carriage return.

    A source that reads large parts at once yields them as they are, since most lines need not be told apart.
    """

    text: bytes

    def lines(self) -> Iterator[LogLine]:
        """The lines, without the empty ones."""
        return (line_of(text) for text in self.text.split(b"\n") if text)


LogLines = Iterator[LogLine | LogBlock | None]
"""The lines of a source; None where nothing new has come for a moment."""


def lines_of(chunks: Iterable[bytes | None]) -> LogLines:
    """The lines in chunks of bytes, in blocks, and with the times that they begin with.

    A carriage return ends a line too, since progress bars use it. Empty lines are passed over.
    """
    rest, shortened = b"", False
    for chunk in chunks:
        if chunk is None:
            yield None
            continue
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r", b"\n")
        if shortened:
            _, ended, chunk = chunk.partition(b"\n")
            if not ended:
                continue
            yield line_of(rest, whole=False)
            rest, shortened = b"", False
        whole, ended, last = chunk.rpartition(b"\n")
        if ended:
            yield LogBlock(rest + whole + ended)
            rest = last
        else:
            rest += chunk
        if len(rest) > LONGEST:
            rest, shortened = rest[:LONGEST], True
    if rest:
        yield line_of(rest, whole=False)


def line_of(text: bytes, *, whole: bool = True) -> LogLine:
    """A line with the time that it begins with, and shortened if it is too long."""
    if len(text) > LONGEST:
        text, whole = text[:LONGEST], False
    return LogLine(text, stamp(text) if text[:1].isdigit() else None, whole)


def stamp(text: bytes) -> float | None:
    """The time that a line begins with, as `aws logs tail` writes it; without a zone it is taken for UTC.

    >>> stamp(b"2026-12-01T10:00:00.5+00:00 algo-1 hbspec: step=1")
    1796119200.5
    """
    found = STAMP.match(text)
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(found[0].decode().replace(",", "."))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def file_chunks(path: Path, *, follow: bool) -> Iterator[bytes | None]:
    """The content of a file in chunks; with `follow`, what is appended to it too, without end.

    A file that becomes shorter was written anew, and is read again from its beginning.

    Raises:
        NotALogError: it is not a text.
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        first = True
        while True:
            chunk = stream.read(CHUNK)
            if chunk and first:
                refuse_other_files(chunk)
                first = False
            if chunk:
                yield chunk
            elif not follow:
                return
            else:
                yield None
                sleep(PAUSE)
                if os.fstat(stream.fileno()).st_size < stream.tell():
                    stream.seek(0)


def pipe_chunks(descriptor: int) -> Iterator[bytes | None]:
    """What comes through a pipe in chunks, to its end.

    Raises:
        NotALogError: it is not a text.
    """
    first = True
    while True:
        if not select.select([descriptor], [], [], PAUSE)[0]:
            yield None
            continue
        chunk = os.read(descriptor, CHUNK)
        if not chunk:
            return
        if first:
            refuse_other_files(chunk)
            first = False
        yield chunk


def refuse_other_files(beginning: bytes) -> None:
    """Nothing for the beginning of a text.

    Raises:
        NotALogError: for any other; the message says what it is.
    """
    for magic, name in PACKED.items():
        if beginning.startswith(magic):
            raise NotALogError(f"is packed ({name}): unpack it first, or pipe its text to `-`")
    if beginning.startswith(WIDE):
        raise NotALogError("is UTF-16: write it as UTF-8")
    if b"\0" in beginning[:SNIFFED]:
        raise NotALogError("is not a text: it holds zero bytes")
