"""Standard output and standard error: the only exits for text, where credentials are redacted.

All output passes through `redact_forms`, which recognises credentials by their form. Credentials recognised by a name
beside them, and invisible characters, are handled earlier, where each text is still separate: a line (`render.paint`),
a string in a JSON document (`render.plain_json`), a field of an annotation (`render.github`).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import TextIO, cast

from hbspec.showing.secrets import redact_forms


class Outlet:
    """A standard stream of the process, which may be closed (None)."""

    def __init__(self, stream: TextIO | None, name: str) -> None:
        self._stream = stream
        self._name = name

    def write(self, text: str) -> int:
        """Write the text with credentials starred out, and return its length.

        Raises:
            OSError: the stream is closed or cannot be written; its name is in `filename`.
        """
        if self._stream is None:
            raise OSError(errno.EBADF, "the stream is closed; redirect it to a file", self._name)
        try:
            self._stream.write(redact_forms(text))
        except OSError as reason:
            reason.filename = self._name
            raise
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write the lines with credentials starred out."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Flush the buffer of the stream.

        Raises:
            OSError: the stream cannot be written; its name is in `filename`.
        """
        if self._stream is None:
            return
        try:
            self._stream.flush()
        except OSError as reason:
            reason.filename = self._name
            raise

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """The file descriptor of the stream.

        Raises:
            OSError: the stream is closed.
        """
        if self._stream is None:
            raise OSError(errno.EBADF, "the stream is closed; redirect it to a file", self._name)
        return self._stream.fileno()

    @property
    def encoding(self) -> str:
        """The encoding of the stream."""
        return "utf-8" if self._stream is None else self._stream.encoding

    def drop(self) -> None:
        """Discard the rest of the buffer; otherwise Python reports it when it exits."""
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())


class ErrorOutlet(Outlet):
    """Standard error. Its messages may get lost without an exception; the exit code remains."""

    def write(self, text: str) -> int:
        """Write the text if the stream accepts it, and return its length."""
        try:
            return super().write(text)
        except OSError:
            self.drop()
            return len(text)

    def flush(self) -> None:
        """Flush the stream if it accepts it."""
        try:
            super().flush()
        except OSError:
            self.drop()


@contextmanager
def guarded(out: TextIO | None, err: TextIO | None) -> Iterator[tuple[Outlet, ErrorOutlet]]:
    """For the duration of a command, standard output and standard error with credentials starred out."""
    _occupy_closed()
    _never_fail_to_encode(out, err)
    outlets = Outlet(out, "standard output"), ErrorOutlet(err, "standard error")
    with redirect_stdout(cast(TextIO, outlets[0])), redirect_stderr(cast(TextIO, outlets[1])):
        yield outlets


def _occupy_closed() -> None:
    """Occupy free file descriptors from 0 to 2, so that no file opened later becomes a standard stream."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # the system assigns the lowest free descriptor
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _never_fail_to_encode(*streams: TextIO | None) -> None:
    """Write a character that the locale cannot encode as its Python escape, instead of raising."""
    for stream in streams:
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
