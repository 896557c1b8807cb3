"""Excerpts of a spec for a terminal: printable, redacted and clipped.

Every change replaces one character by one, so that columns of the file remain columns of the excerpt; only the clipping
of long lines shifts them, which `underline` takes into account.
"""

from __future__ import annotations

from functools import lru_cache

from hbspec.diagnostics import Span
from hbspec.showing import printable, shown
from hbspec.source.characters import lines_of
from hbspec.source.starred import starred

__all__ = ["WIDTH", "excerpt", "printable", "quoted", "underline"]

WIDTH = 160
"""The largest number of characters in an excerpt."""

_LEAD = 40  # characters kept before the place if the beginning of the line is clipped


def quoted(text: str, width: int = 60) -> str:
    """Part of the author's text for a message: in backticks, printable, redacted, and clipped to `width` characters."""
    clean = shown(text)
    return f"`{clean if len(clean) <= width else clean[: width - 1] + '…'}`"


@lru_cache(maxsize=32)
def _redacted_lines(text: str) -> list[str]:
    return lines_of(starred(text))


def excerpt(text: str, span: Span) -> str:
    """The line on which the span starts, clipped with `…` to at most `WIDTH` characters."""
    lines = _redacted_lines(text)
    line = lines[span.start.line - 1] if span.start.line <= len(lines) else ""
    first = _first_shown(span)
    piece = line[first : first + WIDTH]
    if first:
        piece = "…" + piece[1:]
    if first + WIDTH < len(line):
        piece = piece[:-1] + "…"
    return printable(piece)


def underline(shown: str, span: Span) -> tuple[int, int]:
    """The underline of an excerpt: the number of characters before it, and its length (at least one).

    A span of several lines is underlined to the end of its first line.
    """
    offset = min(span.start.column - 1 - _first_shown(span), len(shown))
    width = span.end.column - span.start.column if span.end.line == span.start.line else len(shown)
    return offset, max(1, min(width, len(shown) - offset))


def _first_shown(span: Span) -> int:
    column = span.start.column - 1
    return 0 if column < WIDTH - _LEAD else column - _LEAD
