"""What a terminal shows without scrolling: the beginning of a result, and how to see the rest."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from typing import TextIO

from hbspec.render.lines import Line
from hbspec.render.rows import LEAD

BESIDE = 2
"""Lines of a screen that a result leaves: the command itself, and the prompt after it."""

FULL = "--full"
"""The option that prints everything."""


def room(stream: TextIO) -> int | None:
    """The lines that a result may take: the terminal's, or `LINES`; None in a pipe or a file, which hold everything."""
    if not stream.isatty():
        return None
    lines = shutil.get_terminal_size((0, 0)).lines
    return max(lines - BESIDE, 1) if lines else None


def fitted(lines: Iterable[Line], room: int | None) -> list[Line]:
    """The lines, or as many as there is room for, and how many are left out."""
    whole = list(lines)
    if room is None or len(whole) <= room:
        return whole
    shown = whole[: max(room - 2, 1)]
    while len(shown) > 1 and (not shown[-1] or _is_cut(whole, len(shown))):
        shown.pop()
    return [*shown, (), (("faint", f"{len(whole) - len(shown):,} more lines: add {FULL}"),)]


def _is_cut(lines: list[Line], end: int) -> bool:
    """Whether what the last line before the end belongs to goes on after it: an item, or a section without any."""
    before, after = _indent(lines[end - 1]), _indent(lines[end])
    return (bool(lines[end]) and after > before) or before == after == 2 * len(LEAD)


def _indent(line: Line) -> int:
    text = "".join(text for _, text in line)
    return len(text) - len(text.lstrip(" "))
