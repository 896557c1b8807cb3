"""Lines of styled text: laid out here, coloured elsewhere or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from unicodedata import combining, east_asian_width

Segment = tuple[str, str]
"""A style (a key of `hbspec.render.paint.STYLES`, or empty) and a text without line breaks."""

Line = tuple[Segment, ...]


def cells(text: str) -> int:
    """The terminal columns that a text takes: two for a wide character, none for a combining one (UAX #11).

    >>> cells("GPU"), cells("模型")
    (3, 4)
    """
    if text.isascii():
        return len(text)
    return sum(0 if combining(sign) else 2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def width_of(line: Line) -> int:
    """The terminal columns that a line takes."""
    return sum(cells(text) for _, text in line)


def wrapped(line: Iterable[Segment], width: int | None, indent: int = 0) -> Iterator[Line]:
    """A line folded at its spaces, with all lines after the first indented; unchanged where `width` is None.

    A word longer than the width stays whole, so that paths and numbers can be copied.
    """
    whole = tuple(line)
    if width is None or width_of(whole) <= width:
        yield whole
        return
    row: list[Segment] = []
    column, gap, filled = 0, 0, False
    for word in _words(whole):
        if not word:
            gap += 1
            continue
        size = width_of(word)
        if filled and column + gap + size > width:
            yield tuple(row)
            row, column, gap = [("", " " * indent)], indent, 0
        if gap:
            row.append(("", " " * gap))
        row.extend(word)
        column, gap, filled = column + gap + size, 0, True
    yield tuple(row)


def _words(line: Line) -> Iterator[Line]:
    """The words between spaces, each in one or several styles; every space is an empty word."""
    word: list[Segment] = []
    for style, text in line:
        for piece in re.split("( )", text):
            if piece == " ":
                if word:
                    yield tuple(word)
                yield ()
                word = []
            elif piece:
                word.append((style, piece))
    if word:
        yield tuple(word)
