"""Writes lines to a stream: in colour on a terminal, plain everywhere else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from typing import TextIO

from hbspec.render.lines import Line
from hbspec.showing import shown

STYLES = {
    "": "",
    "error": "bold red",
    "warning": "bold yellow",
    "note": "bold cyan",
    "good": "green",
    "bad": "red",
    "open": "yellow",
    "title": "bold",
    "path": "bold",
    "gutter": "blue",
    "help": "cyan",
    "faint": "dim",
    "bar": "blue",
    "rest": "dim",
}
"""Each style of a segment as rich spells it."""


def columns() -> int | None:
    """The width to fold at: the terminal's, or `COLUMNS`; None in a pipe, where programs read the lines."""
    return shutil.get_terminal_size((0, 0)).columns or None


def plain(lines: Iterable[Line]) -> Iterator[str]:
    """The lines without colours, each with its line break."""
    return (shown("".join(text for _, text in line)) + "\n" for line in lines)


def write(lines: Iterable[Line], stream: TextIO) -> None:
    """Write lines; rich is loaded for a terminal only, where it respects NO_COLOR and the terminal's capabilities.

    FORCE_COLOR, if it is not empty, makes a terminal of any stream (https://force-color.org).
    """
    if not stream.isatty() and not os.environ.get("FORCE_COLOR"):
        stream.writelines(plain(lines))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False, soft_wrap=True)
    for line in map(visible, lines):
        console.print(Text.assemble(*((text, STYLES[style]) for style, text in line)))


def visible(line: Line) -> Line:
    """The line without credentials, which may span several segments."""
    left = shown("".join(text for _, text in line))
    segments = []
    for style, text in line:
        segments.append((style, left[: len(text)]))
        left = left[len(text) :]
    return tuple(segments)
