"""Files that are not JSON lines to values: a JSON list, the rows of a CSV file, and those of a Parquet file.

Each value comes with its number in the file, from 1. Memory holds a value, a block of text, or a batch of rows. Parquet
needs pyarrow, which is imported where a file asks for it.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from broken import FileRefusedError
from lines import MAX_LINE_BYTES, TOO_LONG
from records import MAX_NESTING, nesting

BLANK = re.compile(r"[ \t\r\n]*")
"""Between values of JSON (RFC 8259, section 2)."""
CORRECT = "correct it there"
PARQUET_UNREAD = "is a Parquet file, and the package pyarrow is not installed"
BATCH_ROWS = 256
BUFFER_BYTES = 2**18
"""Of a column of a Parquet file, read at once: a row group may be as large as its file."""


class NotReadError(ValueError):
    """A value cannot be read, and those behind it can; the message says why."""


Numbered = tuple[int, Any]
"""The number of a value, and the value, or a `NotReadError`."""


def entries(blocks: Iterable[bytes]) -> Iterator[Numbered]:
    """The entries of a JSON list, however its lines end, or of maps that follow one another.

    Raises:
        FileRefusedError: the text is neither, or not JSON from an entry on.
    """
    text = _Text(blocks)
    first, number = text.next(), 0
    if first == "{":
        while text.next():
            number += 1
            yield number, text.value()
        return
    if first != "[":
        raise FileRefusedError("is neither a list of examples nor lines of JSON", "write its examples as a list")
    text.skip()
    sign = ","
    if text.next() == "]":
        sign = "]"
        text.skip()
    while sign == ",":
        number += 1
        yield number, text.value()
        sign = text.next()
        text.skip()
    if sign != "]":
        what = f"is not JSON behind its entry {number:,}: neither a comma nor the end of the list"
        raise FileRefusedError(what, CORRECT)
    if text.next():
        raise FileRefusedError("goes on behind the end of its list", "delete what follows the list")


class _Text:
    """The text of blocks, of which a window is kept."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._window, self._at, self._ended = "", 0, False
        self._json = json.JSONDecoder()

    def next(self) -> str:
        """The next character that is not blank; "" at the end."""
        while True:
            blank = BLANK.match(self._window, self._at)
            self._at = blank.end() if blank else self._at
            if self._at < len(self._window):
                return self._window[self._at]
            if not self._more():
                return ""

    def skip(self) -> None:
        """Passes the next character."""
        self._at += 1

    def value(self) -> Any:
        """The value that begins next, or a `NotReadError` where it is nested too deep.

        Raises:
            FileRefusedError: it is not JSON, or longer than a line may be.
        """
        self.next()
        wanted = 0
        while True:
            try:
                value, end = self._json.raw_decode(self._window, self._at)
            except (ValueError, RecursionError) as reason:
                if isinstance(reason, RecursionError):
                    raise FileRefusedError(f"is nested more than {MAX_NESTING} deep", CORRECT) from None
                wanted = max(2 * wanted, len(self._window) - self._at)
                if not self._more(wanted):
                    said = reason.msg if isinstance(reason, json.JSONDecodeError) else "a number that is too large"
                    raise FileRefusedError(f"is not JSON from here on ({said})", CORRECT) from None
                continue
            before = self._at
            if end == len(self._window) and self._more():  # a number may go on
                continue
            end -= before - self._at
            text, self._at = self._window[self._at : end], end
            return value if nesting(text.encode("utf-8", "replace")) <= MAX_NESTING else _too_deep()

    def _more(self, characters: int = 1) -> bool:
        """Reads on for so many characters at least; False if the text has ended."""
        if len(self._window) - self._at > MAX_LINE_BYTES:
            raise FileRefusedError(f"has an entry that is {TOO_LONG}", "delete that entry")
        parts = [self._window[self._at :]]
        read = 0
        while read < characters and not self._ended:
            block = next(self._blocks, b"")
            self._ended = not block
            try:
                parts.append(self._decoder.decode(block, final=self._ended))
            except UnicodeDecodeError:
                raise FileRefusedError("is not UTF-8 text", "save it as UTF-8") from None
            read += len(parts[-1])
        self._window, self._at = "".join(parts), 0
        return read > 0


def _too_deep() -> NotReadError:
    return NotReadError(f"nested more than {MAX_NESTING} deep")


def rows(lines: Iterable[bytes | str], flags: frozenset[str]) -> Iterator[Numbered]:
    """The rows of a CSV file by the names in its first line, numbered by the line that a row begins in.

    Every cell is a text, and an empty one is nothing; in the columns `flags`, `true` and `false` are what they say.

    Raises:
        FileRefusedError: the first line names no columns, or one twice, or a quote is not closed.
    """
    csv.field_size_limit(MAX_LINE_BYTES)
    reader = csv.reader(map(_decoded, lines), strict=True)
    begins = 1
    try:
        header = next(reader, [])
        if not any(header) or len(set(header)) != len(header):
            what = "does not begin with a line of names of columns, all different"
            raise FileRefusedError(what, "begin it with the names of its columns")
        begins = reader.line_num + 1
        for cells in reader:
            number, begins = begins, reader.line_num + 1
            if not cells:
                continue
            if len(cells) != len(header):
                yield number, NotReadError(f"not as many cells as the {len(header)} columns")
            elif any(not cell.isascii() and not _is_text(cell) for cell in cells):
                yield number, NotReadError("not UTF-8 text")
            else:
                yield number, {name: _cell(name, cell, flags) for name, cell in zip(header, cells, strict=True)}
    except csv.Error as reason:
        raise FileRefusedError(f"is not CSV from line {begins:,} on ({reason})", CORRECT) from None


def _decoded(line: bytes | str) -> str:
    if isinstance(line, str):
        raise FileRefusedError(f"has a line that is {line}", "delete that line")
    return line.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")


def _is_text(cell: str) -> bool:
    try:
        cell.encode()
    except UnicodeEncodeError:
        return False
    return True


def _cell(name: str, cell: str, flags: frozenset[str]) -> Any:
    if name in flags and cell.lower() in ("true", "false"):
        return cell.lower() == "true"
    return cell or None


def parquet_rows(file: BinaryIO) -> Iterator[Numbered]:
    """The rows of a Parquet file; what is null is left out, in a row and in its messages.

    Raises:
        FileRefusedError: pyarrow is missing, or the file is not one that it reads.
    """
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise FileRefusedError(PARQUET_UNREAD, "run `pip install pyarrow`") from None
    number = 0
    try:
        table = ParquetFile(file, buffer_size=BUFFER_BYTES, pre_buffer=False)
        for batch in table.iter_batches(BATCH_ROWS):
            for row in batch.to_pylist():
                number += 1
                yield number, {name: _without_nulls(held) for name, held in row.items() if held is not None}
    except (ArrowException, OSError, OverflowError) as reason:
        raise FileRefusedError(f"cannot be read as Parquet ({str(reason).splitlines()[0]})") from None


def _without_nulls(held: Any) -> Any:
    """A list without what its maps do not hold: in a column, each of them has the keys of all."""
    if not isinstance(held, list):
        return held
    return [_held(entry) if isinstance(entry, dict) else entry for entry in held]


def _held(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: each for key, each in entry.items() if each is not None} if None in entry.values() else entry
