"""Training data line by line: valid conversations, and what is wrong with the other lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hbspec.diagnostics import Finding, Severity

MAX_LINE_BYTES = 16 * 2**20
ROLES = ("system", "user", "assistant", "tool")
CODE, NAME = "HB050", "data-line-refused"


@dataclass(frozen=True, slots=True)
class Record:
    """One example: the messages' contents in order, and their roles."""

    line: int
    roles: tuple[str, ...]
    contents: tuple[str, ...]


def read_records(path: Path) -> Iterator[Record | Finding]:
    """Every line of a JSONL file, as a record or as a finding at `(file name, line)`; blank lines are passed over.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            if len(line) > MAX_LINE_BYTES:
                yield _broken(path, number, f"is longer than {MAX_LINE_BYTES // 2**20} MiB")
                while line and not line.endswith(b"\n"):
                    line = file.readline(MAX_LINE_BYTES)
            elif line.strip():
                yield _record(path, number, line)


def _record(path: Path, number: int, line: bytes) -> Record | Finding:
    try:
        value = json.loads(line)
    except UnicodeDecodeError:
        return _broken(path, number, "is not UTF-8 text")
    except (ValueError, RecursionError) as reason:
        return _broken(path, number, f"is no JSON ({getattr(reason, 'msg', 'nested too deep')})")
    defect = _defect(value)
    if defect:
        return _broken(path, number, defect)
    messages = value["messages"]
    return Record(
        number, tuple(message["role"] for message in messages), tuple(message["content"] for message in messages)
    )


def _defect(value: Any) -> str | None:
    messages = value.get("messages") if isinstance(value, dict) else None
    if not isinstance(messages, list) or not messages:
        return 'has no list "messages"'
    for place, message in enumerate(messages, 1):
        if not isinstance(message, dict) or not isinstance(message.get("content"), str):
            return f"message {place} has no text content"
        if message.get("role") not in ROLES:
            return f"message {place} has the role {message.get('role')!r}, not one of {', '.join(ROLES)}"
    return None


def _broken(path: Path, number: int, reason: str) -> Finding:
    action = "mend or delete the line"
    return Finding(CODE, NAME, Severity.ERROR, (path.name, number), f"{path.name}:{number} {reason}", action)
