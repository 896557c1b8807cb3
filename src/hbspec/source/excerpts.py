"""Pieces of a spec's text, made fit for a terminal: nothing invisible, nothing secret, nothing endless.

Every change keeps one character for one, so that a column of the file stays a column of the excerpt; only the clipping
of long lines moves them, and `underline` knows by how much.
"""

from __future__ import annotations

from functools import lru_cache

from hbspec.diagnostics import Span
from hbspec.showing import printable, shown
from hbspec.showing.secrets import redact
from hbspec.source.characters import lines_of

__all__ = ["WIDTH", "excerpt", "printable", "quoted", "underline"]

WIDTH = 160
"""Characters of an excerpt at most."""

_LEAD = 40  # characters kept before the place when the line's beginning is cut off


def quoted(text: str, width: int = 60) -> str:
    """Some text of the author's inside a message: in backticks, printable, redacted, and clipped to `width`."""
    clean = shown(text)
    return f"`{clean if len(clean) <= width else clean[: width - 1] + '…'}`"


@lru_cache(maxsize=32)
def _redacted_lines(text: str) -> list[str]:
    return lines_of(redact(text))


def excerpt(text: str, span: Span) -> str:
    """The line on which the span starts, at most `WIDTH` characters of it, with `…` for what was cut off."""
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
    """Where the caret belongs under an excerpt: characters before it, and how many it covers (at least one).

    A span of several lines is underlined to the end of its first.
    """
    offset = min(span.start.column - 1 - _first_shown(span), len(shown))
    width = span.end.column - span.start.column if span.end.line == span.start.line else len(shown)
    return offset, max(1, min(width, len(shown) - offset))


def _first_shown(span: Span) -> int:
    column = span.start.column - 1
    return 0 if column < WIDTH - _LEAD else column - _LEAD
