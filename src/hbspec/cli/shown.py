"""A result on standard output: as text, as JSON, or as markdown."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hbspec.render.lines import Line


def show_json(document: object) -> None:
    """Print a document as JSON."""
    from hbspec.render.plain_json import json_text

    sys.stdout.write(json_text(document))


def show_markdown(lines: Iterable[str]) -> None:
    """Print lines as they are."""
    sys.stdout.writelines(f"{line}\n" for line in lines)


def show_text(lines_of: Callable[[int | None], Iterable[Line]], *, full: bool) -> None:
    """Print lines as wide as the terminal is, and no more than its screen holds.

    Args:
        lines_of: makes the lines for a width, which is None in a pipe.
        full: print all of them.
    """
    from hbspec.render.paint import columns, write
    from hbspec.render.screen import fitted, room

    write(fitted(lines_of(columns()), None if full else room(sys.stdout)), sys.stdout)
