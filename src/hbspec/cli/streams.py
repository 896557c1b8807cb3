"""Standard output and standard error: the one place where text leaves the program, and no credential with it.

Whatever is written passes through `redact_forms`, which knows credentials by their form. Those known by a name beside
them, and characters that cannot be seen, are dealt with where a text is still a text of its own: a line
(`render.paint`), a string of a JSON document (`render.plain_json`), a field of an annotation (`render.github`).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import TextIO, cast

from hbspec.showing.secrets import redact_forms


class Outlet:
    """A standard stream of the process, or none where it is closed."""

    def __init__(self, stream: TextIO | None, name: str) -> None:
        self._stream = stream
        self._name = name

    def write(self, text: str) -> int:
        """Write without credentials.

        Raises:
            OSError: it cannot be written; with the stream's name.
        """
        if self._stream is None:
            raise OSError(errno.EBADF, "it is closed", self._name)
        try:
            self._stream.write(redact_forms(text))
        except OSError as reason:
            reason.filename = self._name
            raise
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Likewise, line by line."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Hand on what is kept back.

        Raises:
            OSError: as `write`.
        """
        if self._stream is None:
            return
        try:
            self._stream.flush()
        except OSError as reason:
            reason.filename = self._name
            raise

    def isatty(self) -> bool:
        """Whether a terminal shows it."""
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """The system's number of it.

        Raises:
            OSError: it has none.
        """
        if self._stream is None:
            raise OSError(errno.EBADF, "it is closed", self._name)
        return self._stream.fileno()

    @property
    def encoding(self) -> str:
        """How characters become bytes."""
        return "utf-8" if self._stream is None else self._stream.encoding

    def drop(self) -> None:
        """Let what is left in the buffer go nowhere, or Python complains about it at its own end."""
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())


class Beside(Outlet):
    """Standard error. What is said beside the result may get lost; the exit code says the rest."""

    def write(self, text: str) -> int:
        """Write what can be written."""
        try:
            return super().write(text)
        except OSError:
            self.drop()
            return len(text)

    def flush(self) -> None:
        """Likewise."""
        try:
            super().flush()
        except OSError:
            self.drop()


@contextmanager
def guarded(out: TextIO | None, err: TextIO | None) -> Iterator[tuple[Outlet, Beside]]:
    """For the time of a command, standard output and standard error that let no credential out."""
    _occupy_closed()
    _never_fail_to_encode(out, err)
    outlets = Outlet(out, "standard output"), Beside(err, "standard error")
    with redirect_stdout(cast(TextIO, outlets[0])), redirect_stderr(cast(TextIO, outlets[1])):
        yield outlets


def _occupy_closed() -> None:
    """Give the numbers 0 to 2 to nothing, where they are free: the next file to be opened must not become one."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # the lowest free number is what the system gives
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _never_fail_to_encode(*streams: TextIO | None) -> None:
    """In a locale without a character, its code is written instead, as Python spells it; nothing ends for that."""
    for stream in streams:
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
