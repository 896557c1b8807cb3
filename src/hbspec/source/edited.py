"""The text of a spec with single values changed: comments, order and style of everything else stay."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from hbspec.diagnostics import Position, Renamed, Route, Span, route_text
from hbspec.source.document import Document
from hbspec.source.scalars import resolve

INDENT = "  "
PLAIN = re.compile(r"[\w.-]+", re.ASCII)
"""Strings that YAML reads as they are, unless they look like another scalar."""


class EditError(ValueError):
    """A value that cannot be changed in the text, with the reason."""


class _Edit(NamedTuple):
    """The text between two offsets is replaced."""

    start: int
    end: int
    text: str


def edited(document: Document, settings: Mapping[Route, Any]) -> str:
    """The text of a spec's own file with these values.

    A scalar is replaced where it stands; a deleted key goes with its line and the comment on it, and the last of a
    section with the section; a new key comes after the last one of its section, in the style of the section.

    Args:
        document: the spec, read without overrides.
        settings: plain scalars by route; None deletes the key, `Renamed` gives it another name.

    Raises:
        EditError: a value is written in another file, or cannot be changed alone.
    """
    text = document.texts[document.file]
    edits = sorted(_Editor(document, text).edits(settings))
    if any(one.end > other.start for one, other in pairwise(edits)):
        raise EditError("the changes meet in the text: make them by hand")
    for edit in reversed(edits):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


class _Editor:
    def __init__(self, document: Document, text: str) -> None:
        self._document, self._text = document, text
        self._starts = [0, *(found.end() for found in re.finditer(r"\r\n|\r|\n", text))]
        self._break = "\r\n" if "\r\n" in text else "\n"

    def edits(self, settings: Mapping[Route, Any]) -> Iterator[_Edit]:
        """What is replaced, in no particular order; new keys of one section are added together."""
        added: dict[Route, list[str]] = {}
        for route, value in settings.items():
            if value is None:
                yield from self._deletion(route, settings)
            elif isinstance(value, Renamed):
                self._own(route)
                key = self._document.key_spans[route]
                quote = self._text[self._offset(key.start)]
                name = f"{quote}{value.key}{quote}" if quote in "\"'" else scalar(value.key)
                yield _Edit(self._offset(key.start), self._offset(key.end), name)
            elif route in self._document.spans:
                span = self._own(route)
                yield _Edit(self._offset(span.start), self._offset(span.end), scalar(value))
            else:
                added.setdefault(route[:-1], []).append(f"{route[-1]}: {scalar(value)}")
        for section, entries in added.items():
            yield self._addition(section, entries)

    def _own(self, route: Route) -> Span:
        """The span of a value in the spec's own file."""
        span = self._document.spans[route]
        if span.file != self._document.file:
            raise EditError(f"{route_text(route)} is set in {span.file}: change it there")
        return span

    def _deletion(self, route: Route, settings: Mapping[Route, Any]) -> Iterator[_Edit]:
        if route not in self._document.spans:
            return
        span, key, entries = self._own(route), self._document.key_spans[route], self._entries(route[:-1])
        start, end = self._offset(key.start), self._offset(span.end)
        if self._is_flow(route[:-1]):
            yield self._cut_from_flow(start, end)
        elif any(settings.get(other, other) is not None for other in entries):
            yield _Edit(self._line_start(start), self._line_end(end), "")
        elif route == entries[0]:
            yield from self._deletion(route[:-1], settings)

    def _cut_from_flow(self, start: int, end: int) -> _Edit:
        """An entry of a mapping in braces, with the comma beside it."""
        if comma := re.compile(r"[ \t]*,[ \t]*").match(self._text, end):
            return _Edit(start, comma.end(), "")
        before = len(self._text[:start].rstrip())
        return _Edit(before - 1, end, "") if self._text[before - 1] == "," else _Edit(start, end, "")

    def _addition(self, section: Route, entries: list[str]) -> _Edit:
        if section not in self._document.spans:
            return self._new_section(section, entries)
        span = self._own(section)
        if self._is_flow(section):
            inside = self._text[self._offset(span.start) + 1 : self._offset(span.end) - 1].rstrip()
            comma = ", " if inside.strip() and not inside.endswith(",") else ""
            place = self._offset(span.start) + 1 + len(inside)
            return _Edit(place, place, comma + ", ".join(entries))
        last = max(self._entries(section), key=lambda route: self._offset(self._document.spans[route].end))
        margin = " " * (self._document.key_spans[last].start.column - 1)
        place = self._line_end(self._offset(self._own(last).end))
        return self._lines(place, [f"{margin}{entry}" for entry in entries])

    def _new_section(self, section: Route, entries: Iterable[str]) -> _Edit:
        if len(section) != 1:
            raise EditError(f"{route_text(section)} is not in the spec: add it by hand")
        return self._lines(len(self._text), ["", f"{section[0]}:", *(f"{INDENT}{entry}" for entry in entries)])

    def _lines(self, place: int, lines: Iterable[str]) -> _Edit:
        """Lines put in at the beginning of a line, or after a last line that is not ended."""
        before = "" if self._text[:place].endswith(("\n", "\r")) else self._break
        return _Edit(place, place, before + "".join(f"{line}{self._break}" for line in lines))

    def _entries(self, section: Route) -> list[Route]:
        """The routes of a section's entries in the spec's own file."""
        found, own = self._document.key_spans.items(), self._document.file
        return [route for route, span in found if route and route[:-1] == section and span.file == own]

    def _is_flow(self, section: Route) -> bool:
        span = self._document.spans.get(section)
        return span is not None and self._text[self._offset(span.start)] == "{"

    def _offset(self, place: Position) -> int:
        return self._starts[place.line - 1] + place.column - 1

    def _line_start(self, offset: int) -> int:
        return max(start for start in self._starts if start <= offset)

    def _line_end(self, offset: int) -> int:
        return min((start for start in self._starts if start > offset), default=len(self._text))


def scalar(value: Any) -> str:
    """A plain value as YAML spells it, quoted where it would be read as something else.

    >>> scalar(True), scalar("8h"), scalar("true"), scalar(0.5)
    ('true', '8h', '"true"', '0.5')
    """
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    if not isinstance(value, str) or (PLAIN.fullmatch(text) and resolve(text) == value):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
