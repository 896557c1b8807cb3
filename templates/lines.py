"""Data files to lines, or to blocks: what their bytes hold, plain or compressed by gzip or zstd.

The job reads its channels so, and `hbspec data check` the same files before the job is paid for: `records.py` says what
the lines hold. Only the standard library is imported, and zstandard where a file asks for it.

Memory is bounded whatever comes: a line by `MAX_LINE_BYTES`, a zstd window by `MAX_WINDOW_BYTES`; and a file that
decompresses to more than `MAX_RATIO` times its size is not read on, once it has grown beyond `FREE_BYTES`.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from broken import FileRefusedError

if TYPE_CHECKING:
    import zstandard

MAX_LINE_BYTES = 16 * 2**20
TOO_LONG = f"longer than {MAX_LINE_BYTES // 2**20} MiB"
MAX_WINDOW_BYTES = 128 * 2**20
"""What zstd's own tool decompresses without being asked to take more memory."""
MAX_RATIO = 300
"""Text of one template after another compresses to a hundredth; gzip goes to 1,032 (longest match), zstd beyond."""
FREE_BYTES = 64 * 2**20
ZSTD_UNREAD = "is compressed by zstd, and the package zstandard is not installed"
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
FOREIGN = {
    b"PAR1": ("is a Parquet file, but its name does not end in .parquet", "rename it to end in .parquet"),
    b"ARROW1": ("is an Arrow file, not JSON lines", "write its examples as JSON lines or Parquet"),
    b"PK\x03\x04": ("is a zip archive, not JSON lines", "extract what it holds"),
    b"BZh": ("is compressed by bzip2; gzip and zstd are read", "compress it with gzip or zstd"),
    b"\xfd7zXZ": ("is compressed by xz; gzip and zstd are read", "compress it with gzip or zstd"),
    b"\xff\xfe": ("is UTF-16 text, not UTF-8", "save it as UTF-8"),
    b"\xfe\xff": ("is UTF-16 text, not UTF-8", "save it as UTF-8"),
}
"""First bytes of files that are often taken for JSON lines: what they are, and what to do."""
SPECIAL = {
    stat.S_IFIFO: "named pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}
HEAD_BYTES = 8
BLOCK_BYTES = 2**17
PIECE_BYTES = 2**10
"""Handed to zstd at once. A block of it is at least 4 bytes and at most 128 KiB of text (RFC 8878, section 3.1.1.2), so
a piece is at most 32 MiB."""

Read = Callable[[int], bytes | None]
"""At most so many bytes of a file as it lies on the disk."""
Watch = Callable[[int], object]
"""Told how many bytes of a file were read since it was told last, before they are decompressed."""


def file_lines(
    path: str | Path, watch: Watch | None = None, take: Callable[[bytes], object] | None = None
) -> Iterator[bytes | str]:
    """As `lines`, of a regular file.

    Args:
        path: of the file.
        watch: as `lines` has it.
        take: is given the bytes of the file as they are read, all of them if it is read to its end.

    Raises:
        OSError: the file cannot be opened, or read to its end.
        FileRefusedError: as `lines`, and for a pipe, a socket or a device.
    """
    with opened(path, take) as read:
        yield from lines(read, watch)


@contextmanager
def opened(path: str | Path, take: Callable[[bytes], object] | None = None) -> Iterator[Read]:
    """The function that reads a regular file. A pipe is not even opened: where nobody writes, that would wait for ever.

    Args:
        path: of the file.
        take: is given the bytes of the file as they are read.

    Raises:
        OSError: the file cannot be opened.
        FileRefusedError: for a pipe, a socket or a device.
    """
    kind = SPECIAL.get(stat.S_IFMT(os.stat(path).st_mode))  # noqa: PTH116 - Path would shorten the name in errors
    if kind:
        raise FileRefusedError(f"is a {kind}, not a regular file", "name a regular file")
    with open(path, "rb", buffering=0) as raw:  # noqa: PTH123 - likewise
        yield raw.read if take is None else _taken(raw.read, take)


def _taken(read: Read, take: Callable[[bytes], object]) -> Read:
    def reading(size: int) -> bytes | None:
        some = read(size)
        take(some or b"")
        return some

    return reading


def lines(read: Read, watch: Watch | None = None) -> Iterator[bytes | str]:
    """Every line with its end; a text stands for a line that cannot be read, and says why.

    Compression is told from the first bytes, so that a name cannot be wrong and standard input needs none.

    Raises:
        FileRefusedError: the bytes are not text, or what is left cannot be decompressed.
    """
    with _plain(read, watch) as (stream, bounded):
        size = 0
        while line := stream.readline(MAX_LINE_BYTES + 1):
            size += len(line)
            if len(line) <= MAX_LINE_BYTES:
                yield line
            else:
                yield TOO_LONG
            while len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE_BYTES + 1)
                size += len(line)
                bounded(size)
            bounded(size)


def blocks(read: Read, watch: Watch | None = None) -> Iterator[bytes]:
    """The plain bytes in blocks of up to `BLOCK_BYTES`, wherever lines end.

    Raises:
        FileRefusedError: as `lines`.
    """
    with _plain(read, watch) as (stream, bounded):
        size = 0
        while block := stream.read(BLOCK_BYTES):
            size += len(block)
            yield block
            bounded(size)


@contextmanager
def _plain(read: Read, watch: Watch | None) -> Iterator[tuple[BinaryIO, Callable[[int], None]]]:
    """The stream of plain bytes, and the bound on how many there are: it is told after each read."""
    watched = _Watched(read, watch)
    for head, (what, action) in FOREIGN.items():
        if watched.head.startswith(head):
            raise FileRefusedError(what, action)
    compressed = watched.head.startswith((GZIP, ZSTD))
    if b"\0" in watched.head and not compressed:
        raise FileRefusedError("is not text: there are null bytes at its beginning", "save it as text in UTF-8")
    buffered: BinaryIO = io.BufferedReader(watched, BLOCK_BYTES)
    stream, faults = _decompressed(buffered, watched.head)
    try:
        yield stream, lambda size: _bounded(size, watched.taken, compressed)
    except faults as reason:
        raise FileRefusedError(f"cannot be decompressed any further ({reason})") from None


def _bounded(size: int, taken: int, compressed: bool) -> None:
    if compressed and size > FREE_BYTES + MAX_RATIO * taken:
        what = f"decompresses to more than {MAX_RATIO:,} times its size, and is not read any further"
        raise FileRefusedError(what, "decompress it first")


def _decompressed(buffered: BinaryIO, head: bytes) -> tuple[BinaryIO, tuple[type[Exception], ...]]:
    """The stream of plain bytes, and what it raises where they are damaged."""
    if head.startswith(GZIP):
        return gzip.GzipFile(fileobj=buffered), (EOFError, gzip.BadGzipFile, zlib.error)  # type: ignore[return-value]
    if head.startswith(ZSTD):
        try:
            import zstandard
        except ImportError:
            raise FileRefusedError(ZSTD_UNREAD, "run `pip install zstandard`") from None
        decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)
        return io.BufferedReader(_Frames(buffered, decompressor), BLOCK_BYTES), (EOFError, zstandard.ZstdError)
    return buffered, ()


class _Watched(io.RawIOBase):
    """What a function reads as a raw stream that says how much that was, and whose first bytes can be seen."""

    def __init__(self, read: Callable[[int], bytes | None], watch: Watch | None) -> None:
        self._read, self._watch = read, watch
        self.taken = 0
        self.head = b""
        # a pipe may give a byte at a time
        while len(self.head) < HEAD_BYTES and (some := read(HEAD_BYTES - len(self.head))):
            self.head += some
        self._pending = self.head

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """As `io.RawIOBase` has it."""
        some = self._pending or self._read(len(buffer)) or b""
        self._pending = b""
        buffer[: len(some)] = some
        self.taken += len(some)
        if self._watch is not None:
            self._watch(len(some))
        return len(some)


class _Frames(io.RawIOBase):
    """The plain bytes of zstd frames, one after the other; zstandard's own reader takes a missing end for an end."""

    def __init__(self, source: BinaryIO, decompressor: zstandard.ZstdDecompressor) -> None:
        self._source, self._decompressor = source, decompressor
        self._frame = decompressor.decompressobj()
        self._plain = b""
        self._inside = False

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """As `io.RawIOBase` has it.

        Raises:
            EOFError: the file ends inside a frame.
        """
        while not self._plain:
            piece = self._source.read(PIECE_BYTES)
            if not piece:
                if self._inside:
                    raise EOFError("its end is missing")
                return 0
            self._plain = self._decompress(piece)
        some = self._plain[: len(buffer)]
        self._plain = self._plain[len(some) :]
        buffer[: len(some)] = some
        return len(some)

    def _decompress(self, piece: bytes) -> bytes:
        plain = self._frame.decompress(piece)
        self._inside = True
        while self._frame.eof:
            rest = self._frame.unused_data
            self._frame = self._decompressor.decompressobj()
            self._inside = bool(rest)
            if not rest:
                break
            plain += self._frame.decompress(rest)
        return plain
