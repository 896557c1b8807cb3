"""Places in a text as the protocol counts them: from 0, columns in the code units that the client has chosen.

https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/#position
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from lsprotocol import types

from hbspec.diagnostics import Position, Span
from hbspec.lsp.outline import LINE_END

WIDTHS = {types.PositionEncodingKind.Utf8: ("utf-8", 1), types.PositionEncodingKind.Utf16: ("utf-16-le", 2)}
"""The codec of an encoding, and the bytes of its unit; of UTF-32, a unit is a character."""


class TextPlaces:
    """The places of one text."""

    def __init__(self, text: str, encoding: str) -> None:
        self._text, self._lines = text, LINE_END.split(text)
        self._width = WIDTHS.get(types.PositionEncodingKind(encoding))

    def range_of(self, span: Span) -> types.Range:
        """A span of hbspec's, which counts from 1 and in characters."""
        return types.Range(self._place(span.start), self._place(span.end))

    def range_on(self, line: int, start: int, end: int) -> types.Range:
        """The columns of a line, all from 0 and in characters."""
        return types.Range(self._at(line, start), self._at(line, end))

    def column(self, place: types.Position) -> int:
        """The column of a place of the client's, in characters from 0; the end of its line where it is beyond."""
        line = self.line(place.line)
        if self._width is None:
            return min(place.character, len(line))
        codec, unit = self._width
        return len(line.encode(codec, "surrogatepass")[: place.character * unit].decode(codec, "ignore"))

    def line(self, number: int) -> str:
        """The text of a line; empty beyond the last."""
        return self._lines[number] if 0 <= number < len(self._lines) else ""

    def before(self, place: types.Position) -> str:
        """The text before a place."""
        return "\n".join([*self._lines[: place.line], self.line(place.line)[: self.column(place)]])

    def change(self, after: str) -> tuple[types.Range, str]:
        """What turns the text into another: the lines that differ, and what stands there instead."""
        before, starts = self._text, [0, *(found.end() for found in LINE_END.finditer(self._text))]
        most = min(len(before), len(after))
        line = bisect_right(starts, next((at for at in range(most) if before[at] != after[at]), most)) - 1
        start, same = starts[line], 0
        most -= start
        while same < most and before[-1 - same] == after[-1 - same]:
            same += 1
        last = bisect_left(starts, len(before) - same)
        end = starts[last] if last < len(starts) else len(before)
        there = types.Position(last, 0) if last < len(starts) else self._at(len(starts) - 1, len(before))
        return types.Range(types.Position(line, 0), there), after[start : len(after) - (len(before) - end)]

    def _place(self, place: Position) -> types.Position:
        return self._at(place.line - 1, place.column - 1)

    def _at(self, line: int, column: int) -> types.Position:
        return types.Position(line, self._units(self.line(line)[:column]))

    def _units(self, text: str) -> int:
        if self._width is None or text.isascii():
            return len(text)
        codec, unit = self._width
        return len(text.encode(codec, "surrogatepass")) // unit
