"""A remote file of a known size as a raw stream: read once from its beginning, or anywhere."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from hbspec.remote.failure import AGAIN, RemoteError

Fetch = Callable[[int, int], bytes]
"""The bytes from a place on, at most so many, and none only where the transfer has ended; raises `RemoteError`."""


class RemoteStream(io.RawIOBase):
    """The bytes of a remote file, exactly as many as were listed.

    Attributes:
        failure: why the last read failed; None where none did.
    """

    def __init__(self, url: str, size: int, fetch: Fetch) -> None:
        """Of the file at a URL, with its size in bytes."""
        self._url, self._size, self._fetch, self._at = url, size, fetch, 0
        self.failure: RemoteError | None = None

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always: `fetch` is asked for another place."""
        return True

    def tell(self) -> int:
        """The place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As `io.RawIOBase` has it."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer, unless the file ends.

        Raises:
            RemoteError: a transfer fails, or ends before the file does.
        """
        wanted, filled = min(len(buffer), max(0, self._size - self._at)), 0
        while filled < wanted:
            try:
                some = self._fetch(self._at, wanted - filled)
                if not some:
                    ended = f"the transfer ended after {self._at:,} of {self._size:,} bytes"
                    raise RemoteError(self._url, ended, AGAIN)
            except RemoteError as failure:
                self.failure = failure
                raise
            buffer[filled : filled + len(some)] = some
            filled += len(some)
            self._at += len(some)
        return filled


@contextmanager
def streaming(url: str, size: int, fetch: Fetch) -> Iterator[BinaryIO]:
    """The stream of a remote file.

    Raises:
        RemoteError: a read failed, also where the reader of a format took that for a fault of the file.
    """
    with RemoteStream(url, size, fetch) as stream:
        try:
            yield cast(BinaryIO, stream)
        except ValueError:
            if stream.failure is not None:
                raise stream.failure from None
            raise
