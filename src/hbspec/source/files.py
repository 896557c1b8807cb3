"""Decoding of spec files: UTF-8 with or without a byte order mark, within the size limit."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import TextIO

from hbspec.diagnostics import Position, Span
from hbspec.manual import text as pages
from hbspec.source.characters import position_of
from hbspec.source.encodings import UTF_8, encoding_of, family
from hbspec.source.limits import MAX_ATTACHMENT_BYTES, MAX_BYTES
from hbspec.source.missing import action
from hbspec.source.paths import UnreadablePathError, read_bytes
from hbspec.source.problems import Problems

SAVE = "save the file as UTF-8"
NOTEBOOK = ".ipynb"
"""The ending of notebooks, which hold the images that their cells have drawn."""


def read_text(path: Path, file: str, place: Span | str, problems: Problems) -> str | None:
    """The text of a spec file, which `problems` calls `file`; None, with the reason added at `place`, if unreadable."""
    limit = MAX_ATTACHMENT_BYTES if path.suffix == NOTEBOOK else MAX_BYTES
    try:
        data = read_bytes(path, limit)
    except UnreadablePathError as error:
        problems.add(pages.UNREADABLE_FILE, place, f"`{file}` {error}", action(file))
        return None
    return decode(data, file, problems, limit)


def read_stream(stream: TextIO | None, file: str, problems: Problems) -> str | None:
    """The text of a spec on standard input; None, with the reason in `problems`, if it cannot be read."""
    try:
        if stream is None:
            raise OSError("the stream is closed")
        buffer = getattr(stream, "buffer", None)
        data = buffer.read(MAX_BYTES + 1) if buffer else stream.read(MAX_BYTES + 1).encode("utf-8", "surrogatepass")
    except (OSError, ValueError) as error:
        message = f"standard input cannot be read: {error}"
        problems.add(pages.UNREADABLE_FILE, file, message, "pipe a spec into it, or give the path of a file")
        return None
    return decode(data, file, problems)


def decode(data: bytes, file: str, problems: Problems, limit: int = MAX_BYTES) -> str | None:
    """The bytes as text, without a byte order mark; None, with the reason in `problems`, if they are not UTF-8."""
    if len(data) > limit:
        message = f"the file is larger than {limit:,} bytes"
        help_ = f"cut the file to at most {limit:,} bytes; training data belongs in the files of data.train"
        problems.add(pages.OVER_LIMIT, file, message, help_)
        return None
    encoding = encoding_of(data)
    if encoding not in UTF_8:
        problems.texts[file] = data.decode(encoding, "replace")
        message = f"the file is {family(encoding)}, not UTF-8"
        problems.add(pages.NOT_UTF8, Span(file, Position(1, 1), Position(1, 2)), message, SAVE)
        return None
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        seen = problems.texts[file] = data.decode("utf-8", "replace")
        start = position_of(seen, len(data[: error.start].decode("utf-8")))
        place = Span(file, start, Position(start.line, start.column + 1))
        problems.add(pages.NOT_UTF8, place, f"the byte 0x{data[error.start]:02X} is not UTF-8", SAVE)
        return None
    problems.texts[file] = text
    return text
