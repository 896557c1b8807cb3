"""Lines of training data to conversations, and what is wrong with the other lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from hbspec.dataset.defects import FILE, LINE
from hbspec.dataset.files import MAX_LINE_BYTES, DataFile, FileRefusedError, Watch, read_lines
from hbspec.dataset.schema import ROLES, fault
from hbspec.source.defects import Defect


class Place(NamedTuple):
    """A line of a file, from 1; 0 stands for the file as a whole."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Record:
    """One example.

    Attributes:
        roles: of the messages, in order.
        contents: their texts.
        encoded: the same in UTF-8.
        extra: keys that messages have besides role and content.
    """

    place: Place
    roles: tuple[str, ...]
    contents: tuple[str, ...]
    encoded: tuple[bytes, ...]
    extra: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """A line, or all that is left of a file, that cannot be used, and why."""

    place: Place
    defect: Defect
    reason: str


def read_records(files: Iterable[DataFile], watch: Watch | None = None) -> Iterator[Record | Broken]:
    """Every line of every file; what cannot be used is said, and the rest goes on.

    Raises:
        OSError: a file cannot be read.
    """
    for file in files:
        number = 0
        try:
            for number, line in enumerate(read_lines(file, watch), 1):
                found = decoded(line, Place(file.name, number))
                if found is not None:
                    yield found
        except FileRefusedError as reason:
            yield Broken(Place(file.name, number), FILE, f"the file {reason}")


def decoded(line: bytes | None, place: Place) -> Record | Broken | None:
    """What a line holds: an example, something else, or nothing but space (None). `line` None is one too long."""
    if line is None:
        return Broken(place, LINE, f"longer than {MAX_LINE_BYTES // 2**20} MiB")
    if not line or line.isspace():
        return None
    try:
        value = json.loads(line.rstrip(b"\r\n").decode("utf-8-sig"))
    except UnicodeDecodeError:
        return Broken(place, LINE, "not UTF-8 text")
    except json.JSONDecodeError as reason:
        return Broken(place, LINE, f"not JSON ({_said(reason)})")
    except (ValueError, RecursionError):
        return Broken(place, LINE, "not JSON (a number or a nesting that is too large to read)")
    if not _is_conversation(value):
        return Broken(place, LINE, str(fault(value)))
    messages: Sequence[dict[str, Any]] = value["messages"]
    contents = tuple(message["content"] for message in messages)
    try:
        encoded = tuple(text.encode() for text in contents)
    except UnicodeEncodeError:
        return Broken(place, LINE, "a content holds half of a surrogate pair, which is no text")
    extra = () if all(len(message) == 2 for message in messages) else _extra(messages)
    return Record(place, tuple(message["role"] for message in messages), contents, encoded, extra)


def _is_conversation(value: Any) -> bool:
    """Whether a value obeys `schema.SCHEMA`, found by hand because it is asked of every line."""
    if not isinstance(value, dict):
        return False
    messages = value.get("messages")
    return (
        isinstance(messages, list)
        and len(messages) > 0
        and all(
            isinstance(message, dict) and isinstance(message.get("content"), str) and message.get("role") in ROLES
            for message in messages
        )
    )


def _said(reason: json.JSONDecodeError) -> str:
    """Without the prepositions that introduce a position: lines that fail alike are counted together."""
    return reason.msg.rstrip(": ").removesuffix(" at").removesuffix(" starting")


def _extra(messages: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(sorted({key for message in messages for key in message} - {"role", "content"}))
