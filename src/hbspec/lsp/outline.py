"""The keys and values of a text by their indentation and brackets, whatever state the text is in.

The parser refuses half-written YAML, and an editor shows little else. This reading never refuses: it knows block and
flow collections, quotes, comments and block scalars, and nothing of anchors, tags or documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from hbspec.diagnostics import Route
from hbspec.source.limits import MAX_DEPTH

LINE_END = re.compile(r"\r\n|\r|\n")
"""What ends a line in YAML 1.2 and in the protocol; `str.splitlines` ends lines at other characters, too."""
KEY = re.compile(r"""("[^"]*"|'[^']*'|[^\s\[\]{}#,'"&*!|>%@`](?:[ \t]*[^\s#\[\]{},])*?)[ \t]*:(?=[\s,\]}]|$)""")
QUOTED = r""""(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?"""
SCALAR = re.compile(rf"{QUOTED}|(?:[^\s#]|(?<=\S)#|[ \t]+(?![ \t#]|$))+")
FLOW_SCALAR = re.compile(rf"{QUOTED}|(?:[^\s#,\[\]{{}}]|(?<=\S)#|[ \t]+(?![ \t#,\[\]{{}}]|$))+")
BLOCK_SCALAR = re.compile(r"[|>][0-9+-]*[ \t]*(?:#.*)?$")


LONGEST_LINE = 4096
"""Characters of a line that are read."""


class Entry(NamedTuple):
    """A key with its value, or an entry of a list.

    Attributes:
        line: the line of the key, from 0.
        start: the column of the key or of the list's entry, from 0, in characters.
        key_end: the column after the key; `start` for an entry of a list.
        value_start: the column at which a value begins on this line, or would.
        end: the column after the value on this line.
        value: the value as it is written on this line, without quotes; empty for a collection.
    """

    route: Route
    line: int
    start: int
    key_end: int
    value_start: int
    end: int
    value: str


class _Level(NamedTuple):
    """A key or an entry of a list (a number) at an indentation; in brackets, the bracket that opened it."""

    indent: int
    part: str | int
    bracket: str = ""


class Outline:
    """The entries of a text, and the collections that are open where it ends."""

    def __init__(self, text: str) -> None:
        self.entries: list[Entry] = []
        self.levels: list[_Level] = []
        self._scalar: int | None = None
        for number, line in enumerate(LINE_END.split(text)):
            if len(self.levels) > MAX_DEPTH:
                return
            self._line(number, line[:LONGEST_LINE])

    @property
    def route(self) -> Route:
        """The route of the innermost key or entry that is open."""
        return tuple(level.part for level in self.levels if level.part != "")

    @property
    def bracket(self) -> str:
        """The innermost bracket that is open; empty in block style."""
        return next((level.bracket for level in reversed(self.levels) if level.bracket), "") if self.levels else ""

    def at(self, line: int, column: int) -> Entry | None:
        """The innermost entry at a place."""
        found = [one for one in self.entries if one.line == line and one.start <= column <= one.end]
        return max(found, key=lambda one: one.start) if found else None

    def keys_of(self, route: Route) -> Iterator[str]:
        """The keys that a mapping has."""
        for entry in self.entries:
            if entry.route[:-1] == route and entry.route and isinstance(entry.route[-1], str):
                yield entry.route[-1]

    def _line(self, number: int, line: str) -> None:
        indent = len(line) - len(line.lstrip(" "))
        if self.bracket:
            self._flow(number, line, 0)
            return
        if not line.strip():
            return
        if self._scalar is not None and indent > self._scalar:
            return
        self._scalar = None
        if not line.lstrip().startswith("#"):
            self._block(number, line, indent)

    def _block(self, number: int, line: str, at: int) -> None:
        while re.match(r"-(?:[ \t]|$)", line[at:]):
            self._item(at)
            start, at = at, at + 1 + len(line[at + 1 :]) - len(line[at + 1 :].lstrip())
            if not KEY.match(line, at):
                self._value(number, line, (start, start, at))
                return
        key = KEY.match(line, at)
        self.leave(at)
        if key is None:
            return
        self.levels.append(_Level(at, _bare(key[1])))
        self._value(number, line, (at, key.end(1), _after(line, key.end())))

    def leave(self, indent: int) -> None:
        """Close what is not above a key at this indentation."""
        while self.levels and self.levels[-1].indent >= indent:
            self.levels.pop()

    def _item(self, at: int) -> None:
        """Open an entry of a list whose dash is at this column; the list may be as deep as its key."""
        while self.levels and self.levels[-1].indent > at:
            self.levels.pop()
        index = 0
        if self.levels and self.levels[-1].indent == at and isinstance(self.levels[-1].part, int):
            index = self.levels.pop().part + 1  # type: ignore[operator]
        self.levels.append(_Level(at, index))

    def _value(self, number: int, line: str, columns: tuple[int, int, int]) -> None:
        """The value after a key or a dash, at the last of the columns."""
        start, key_end, at = columns
        route = self.route
        if line[at : at + 1] in ("{", "["):
            place = len(self.entries)
            self._flow(number, line, at)
            self.entries.insert(place, Entry(route, number, start, key_end, at, at + 1, ""))
            return
        if BLOCK_SCALAR.match(line, at):
            self._scalar = self.levels[-1].indent
            self.entries.append(Entry(route, number, start, key_end, at, at, ""))
            return
        scalar = SCALAR.match(line, at)
        end, value = (scalar.end(), _bare(scalar[0])) if scalar else (max(at, key_end), "")
        self.entries.append(Entry(route, number, start, key_end, at, end, value))

    def _flow(self, number: int, line: str, at: int) -> None:
        """What is in brackets on a line, from a column on; what follows the last bracket is not read."""
        while at < len(line) and len(self.levels) <= MAX_DEPTH:
            sign = line[at]
            if sign in "{[":
                self.levels.append(_Level(self._deepest, 0 if sign == "[" else "", sign))
            elif sign in "}]":
                self._close()
                if not self.bracket:
                    return
            elif sign == ",":
                self._next()
            elif sign == "#" and line[at - 1 : at] in ("", " ", "\t"):
                return
            elif not sign.isspace() and sign != ":":
                at = self._flow_entry(number, line, at)
                continue
            at += 1

    def _flow_entry(self, number: int, line: str, at: int) -> int:
        """A key or a value in brackets; the column after it."""
        key = KEY.match(line, at) if self.levels[-1].part == "" else None
        if key is not None:
            self.levels.append(_Level(self._deepest, _bare(key[1])))
            value_start = _after(line, key.end())
            scalar = FLOW_SCALAR.match(line, value_start)
            end, value = (scalar.end(), _bare(scalar[0])) if scalar else (value_start, "")
            self.entries.append(Entry(self.route, number, at, key.end(1), value_start, end, value))
            return end
        scalar = FLOW_SCALAR.match(line, at)
        if scalar is None:
            return at + 1
        if isinstance(self.levels[-1].part, int):
            self.entries.append(Entry(self.route, number, at, at, at, scalar.end(), _bare(scalar[0])))
        return max(scalar.end(), at + 1)

    @property
    def _deepest(self) -> int:
        return self.levels[-1].indent if self.levels else 0

    def _close(self) -> None:
        """Close the innermost bracket, and the key in it."""
        while self.levels and not self.levels.pop().bracket:
            pass

    def _next(self) -> None:
        """A comma: the next key, or the next entry."""
        if self.levels and not self.levels[-1].bracket:
            self.levels.pop()
        if self.levels and isinstance(self.levels[-1].part, int):
            last = self.levels.pop()
            self.levels.append(last._replace(part=last.part + 1))  # type: ignore[operator]


def _bare(text: str) -> str:
    """A scalar without its quotes."""
    return text[1:].removesuffix(text[0]) if text[:1] in ("'", '"') else text


def _after(line: str, at: int) -> int:
    """The column of the first sign that is not a blank."""
    return at + len(line[at:]) - len(line[at:].lstrip(" \t"))
