"""Data files to JSON lines of one dataset type; what cannot be converted is kept apart, with the reason.

Memory holds one example at a time. Columns that a type does not read are kept beside those that it does.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hbspec.dataset.broken import Broken, Place, rest_of
from hbspec.dataset.files import DataFile, read_lines, read_records
from hbspec.dataset.folders import JSON_LINES, layout_of_file
from hbspec.dataset.foreign import COLUMNS
from hbspec.dataset.lines import Watch
from hbspec.dataset.readers import Reader
from hbspec.dataset.records import Layout, Record, decoded
from hbspec.dataset.tally import Tallies
from hbspec.manual.data import FILE

SEPARATORS = (",", ":")
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=SEPARATORS, default=str)


@dataclass(slots=True)
class Converted:
    """What became of the examples of some files.

    Attributes:
        written: number of examples that were converted.
        kept: number of entries that were kept apart.
        whole: whether every file was read to its end.
        tallies: why they were, counted by kind.
    """

    written: int = 0
    kept: int = 0
    whole: bool = True
    tallies: Tallies = field(default_factory=lambda: Tallies("data"))


class _Keeping(Reader):
    """A reader that keeps the value of which it made its last example; None where there was none to make it of."""

    value: Any = None

    def example(self, value: Any, place: Place) -> Record | Broken:
        """As `Reader` has it."""
        self.value = value
        return super().example(value, place)


class Conversion:
    """Lines of converted examples, and of those that are kept apart, as an iteration.

    Attributes:
        counts: up to the line that was given last.
    """

    def __init__(
        self,
        files: Sequence[DataFile],
        kind: str | None = None,
        columns: Mapping[str, str] | None = None,
        watch: Watch | None = None,
    ) -> None:
        """Of these files, whose examples are of a type, under such names of columns (see `Reader`)."""
        self.counts = Converted()
        self._files, self._watch = files, watch
        self._reader = _Keeping(None, columns, kind)

    @property
    def layout(self) -> Layout | None:
        """What was read: None where nothing was recognised."""
        return self._reader.layout

    def __iter__(self) -> Iterator[tuple[bool, bytes]]:
        """Each line, and whether it is an example; otherwise it says what was read, from where, and why it is none.

        Raises:
            OSError: a file cannot be read.
        """
        for file in self._files:
            for found, raw in self._of(file):
                value, self._reader.value = self._reader.value, None
                if isinstance(found, Record):
                    self.counts.written += 1
                    yield True, _line(self._converted(value, found))
                    continue
                self.counts.tallies.broken(found)
                self.counts.whole &= not found.rest
                if not found.rest:
                    self.counts.kept += 1
                    yield False, _line(_apart(found, value, raw))
        if self.counts.written and (unseen := self._reader.unseen_columns()):
            self.counts.whole = False
            place, action = Place(self._files[0].name, 0), f"correct {self._reader.naming.columns}"
            self.counts.tallies.add(FILE, unseen, place, action=action)

    def _of(self, file: DataFile) -> Iterator[tuple[Record | Broken, bytes | None]]:
        """What a file holds, with the line that it stands in, if it has lines."""
        if layout_of_file(file.name) != JSON_LINES:
            for found in read_records((file,), self._watch, self._reader):
                yield found, None
            return
        number = 0
        try:
            for number, line in enumerate(read_lines(file, self._watch), 1):
                entry = decoded(line, Place(file.name, number), self._reader)
                if entry is not None:
                    yield entry, line if isinstance(line, bytes) else None
        except ValueError as refused:
            yield rest_of(Place(file.name, number), refused), None

    def _converted(self, value: Any, record: Record) -> dict[str, Any]:
        """The example in the columns of its type, or of a conversation, with what else it holds."""
        layout = self._reader.layout
        if layout is None or layout.format:
            return dict(value)
        pairs = zip(record.roles, record.contents, strict=True)
        messages = [{"role": role, "content": content} for role, content in pairs]
        read = COLUMNS[layout.type]
        return {"messages": messages, **{key: held for key, held in value.items() if key not in read}}


def _apart(broken: Broken, value: Any, raw: bytes | None) -> dict[str, Any]:
    """Where an entry stands, why it was not converted, and what it holds."""
    place = broken.place
    said = {"file": place.file, place.noun: place.line, "reason": broken.reason}
    if value is not None or raw is None:
        return {**said, "value": value}
    try:
        return {**said, "text": raw.decode()}
    except UnicodeDecodeError:
        return {**said, "base64": b64encode(raw).decode()}


def _line(row: dict[str, Any]) -> bytes:
    """A line of JSON; dates and bytes, which a Parquet file may hold, as texts."""
    try:
        return f"{_ENCODER.encode(row)}\n".encode()
    except UnicodeEncodeError:  # half of a surrogate pair, in a column that no type reads
        return f"{json.dumps(row, separators=SEPARATORS, default=str)}\n".encode()
