"""Files of cases: JSON lines, one case a line, and what is wrong with those that cannot be used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from .items import SuiteError

T = TypeVar("T")
LARGEST = 64 * 2**20
"""Bytes of a file of cases."""
SHOWN = 5
JSON_LINES = ".jsonl"


class UnusableError(ValueError):
    """A line cannot be used; the message is its kind, which lines of the same kind share."""


class Cases(NamedTuple):
    """What a file holds.

    Attributes:
        lines: line numbers, from 1, with what was made of them.
        faults: numbers of the lines that cannot be used, by what is wrong with them.
        content: the bytes of the file, or of all files of a folder.
    """

    lines: list[tuple[int, Any]]
    faults: dict[str, tuple[int, ...]]
    content: bytes


def read(path: Path, use: Callable[[Any], object], action: str) -> Cases:
    """Every line of a file that `use` accepts; lines of nothing but space are passed over.

    Args:
        path: of the file, UTF-8; or of a folder, of which all files that end in `.jsonl` are read as one.
        use: makes a case of a line's value, or raises `UnusableError`.
        action: what to do where the file cannot be read.

    Raises:
        SuiteError: the file cannot be read, or no line of it can be used.
    """
    content = _content(path, action)
    found: list[tuple[int, Any]] = []
    faults: dict[str, list[int]] = {}
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            found.append((number, use(_value(line))))
        except UnusableError as kind:
            faults.setdefault(str(kind), []).append(number)
    if not found:
        raise SuiteError(f"{path}: none of {sum(map(len, faults.values()))} lines can be used{said(faults)}: {action}")
    return Cases(found, {kind: tuple(numbers) for kind, numbers in faults.items()}, content)


def said(faults: dict[str, list[int]]) -> str:
    """Faults in words that follow a colon-free sentence; nothing where there are none."""
    texts = [
        f"{kind} in line{'' if len(numbers) == 1 else 's'} {', '.join(map(str, numbers[:SHOWN]))}"
        f"{' and others' if len(numbers) > SHOWN else ''}"
        for kind, numbers in faults.items()
    ]
    return f" ({'; '.join(texts)})" if texts else ""


def _content(path: Path, action: str) -> bytes:
    if path.is_dir() and (found := files_of(path)):
        return b"\n".join(_content(file, action) for file in found)
    try:
        if not path.is_file():
            raise SuiteError(f"{path} is not a file: {action}")
        if path.stat().st_size > LARGEST:
            raise SuiteError(f"{path} has more than {LARGEST // 2**20} MiB: {action}")
        return path.read_bytes()
    except OSError as reason:
        raise SuiteError(f"{path} cannot be read ({reason.strerror or reason}): {action}") from None


def files_of(folder: Path) -> list[Path]:
    """The JSON lines of a folder, in the order of their names, without what is hidden."""
    found = sorted(path for path in folder.rglob(f"*{JSON_LINES}") if path.is_file())
    hidden = (".", "_")  # as in `templates/lines.py`
    return [path for path in found if not any(part.startswith(hidden) for part in path.relative_to(folder).parts)]


def _value(line: bytes) -> Any:
    """The JSON value of a line.

    Raises:
        UnusableError: it is not UTF-8, or not JSON.
    """
    try:
        return json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise UnusableError("not UTF-8 text") from None
    except (ValueError, RecursionError):
        raise UnusableError("not JSON") from None


def chat(value: Any) -> tuple[dict[str, str], ...]:
    """The messages of a line's `messages`, each with role and content alone.

    Raises:
        UnusableError: they are not chat messages.
    """
    if not isinstance(value, list) or not value:
        raise UnusableError("`messages` is not a list of messages")
    for message in value:
        if not isinstance(message, dict) or message.get("role") not in ("system", "user", "assistant"):
            raise UnusableError("a message has another role than system, user or assistant")
        if not isinstance(message.get("content"), str) or not _is_text(message["content"]):
            raise UnusableError("a message has no text content")
    return tuple({"role": message["role"], "content": message["content"]} for message in value)


def _is_text(text: str) -> bool:
    """Whether a text can be sent: half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
