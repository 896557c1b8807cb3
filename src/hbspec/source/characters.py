"""Lines and characters of a text, counted as in YAML."""

from __future__ import annotations

import re

from hbspec.diagnostics import Position
from hbspec.showing.invisible import CONTROL

_LINE_BREAK = re.compile(r"\r\n|\r|\n")


def lines_of(text: str) -> list[str]:
    """The lines of a text, without their ends; only CR, LF or CR LF end a line."""
    return _LINE_BREAK.split(text)


def position_of(text: str, index: int) -> Position:
    r"""The line and the column, from 1, of the character at an index.

    >>> position_of("a\r\nbc", 4)
    Position(line=2, column=2)
    """
    before = lines_of(text[:index])
    return Position(len(before), len(before[-1]) + 1)


def control_characters(text: str) -> list[int]:
    r"""The indices of all characters that neither a spec nor a value in it may contain.

    >>> control_characters("heart\tbeat"), control_characters("heart\0beat")
    ([], [5])
    """
    return [found.start() for found in CONTROL.finditer(text)]


def code_point(character: str) -> str:
    """The code point of an invisible character, as in `U+0000`."""
    return f"U+{ord(character):04X}"
