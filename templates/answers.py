"""The answers of an evaluation as JSON lines, each written as soon as it is there: a run that was killed goes on.

The first line says what was asked: a file of another model, or of another run's settings, is not continued. Only the
standard library is imported.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

FORMAT = 1
Key = tuple[str, int, str, str]
"""Suite, seed, item and the digest of its prompt."""


class AnswersError(ValueError):
    """A file of answers that cannot be gone on with; the message says why and what to do."""


class Answered(NamedTuple):
    """What came back for one item.

    Attributes:
        suite: its name.
        seed: of the suite.
        item: its id.
        prompt: digest of what was asked (`prompt_digest`).
        text: the answer; empty without one.
        finish: why it ended.
        failure: why there is none; empty where there is one.
        tokens: generated; None where they are not told.
        attempts: that were made.
        seconds: from the first attempt to the answer.
    """

    suite: str
    seed: int
    item: str
    prompt: str
    text: str
    finish: str
    failure: str
    tokens: int | None
    attempts: int
    seconds: float

    @property
    def key(self) -> Key:
        """What was asked."""
        return self.suite, self.seed, self.item, self.prompt


def prompt_digest(messages: Sequence[Mapping[str, str]], max_tokens: int, stop: Sequence[str] = ()) -> str:
    """SHA-256 of a conversation, of how long its answer may be, and of the texts that end it, if there are any."""
    ends = [list(stop)] if stop else []
    asked = json.dumps([[dict(message) for message in messages], max_tokens, *ends], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()


class AnswersFile:
    """A file of answers, opened for more; `found` are those that were given before, by what was asked.

    An item without an answer (`failure`) is asked again by the next run.

    Args:
        path: of the file, which is created where there is none.
        asked: of whom, and how: JSON values.

    Raises:
        AnswersError: the file is of something else, is broken, or another run writes to it.
    """

    def __init__(self, path: Path, asked: Mapping[str, Any]) -> None:
        self.path, self.found = path, dict[Key, Answered]()
        self._lock, self._head = Lock(), {"format_version": FORMAT, "asked": dict(asked)}
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as reason:
            raise AnswersError(f"{path} cannot be written: {reason.strerror}") from None
        try:
            self._alone()
            self._read()
        except BaseException:
            os.close(self._handle)
            raise

    def add(self, answered: Answered) -> None:
        """Write an answer. It is in the file when this returns, whatever becomes of the process."""
        with self._lock:
            self._write({**answered._asdict(), "time": datetime.now(UTC).isoformat(timespec="seconds")})
            self.found[answered.key] = answered

    def close(self) -> None:
        """Let others write to the file."""
        os.close(self._handle)

    def _alone(self) -> None:
        try:
            from fcntl import LOCK_EX, LOCK_NB, flock

            flock(self._handle, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            raise AnswersError(f"another run writes to {self.path}: wait for it, or name another file") from None
        except (ImportError, OSError):  # a system, or a file system, without locks
            return

    def _read(self) -> None:
        content = self.path.read_bytes()
        whole, _, torn = content.rpartition(b"\n")
        lines = whole.split(b"\n") if whole else []
        if not lines:
            if not _spelled(self._head).startswith(content):
                raise self._broken(1)
            os.ftruncate(self._handle, 0)
            self._write(self._head)
            return
        if self._parsed(lines[0], 1) != self._head:
            raise AnswersError(f"{self.path} holds answers of another model or other settings: name another file")
        for number, line in enumerate(lines[1:], 2):
            values = self._parsed(line, number)
            values.pop("time", None)
            try:
                answered = Answered(**values)
            except TypeError:
                raise self._broken(number) from None
            self.found[answered.key] = answered
        if torn:  # a line that was being written when the run was killed; not before it is known whose file it is
            os.ftruncate(self._handle, len(content) - len(torn))

    def _parsed(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):
            raise self._broken(number) from None
        if not isinstance(values, dict):
            raise self._broken(number)
        return values

    def _broken(self, number: int) -> AnswersError:
        return AnswersError(f"{self.path}, line {number} is not an answer as it was written: name another file")

    def _write(self, values: Mapping[str, Any]) -> None:
        rest, before = memoryview(_spelled(values)), os.fstat(self._handle).st_size
        try:
            while rest:
                rest = rest[os.write(self._handle, rest) :]
        except OSError:  # a full disk: other answers may fit, and must not follow half a line
            os.ftruncate(self._handle, before)
            raise


def _spelled(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values).encode() + b"\n"


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
