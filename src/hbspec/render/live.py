"""A page that is drawn again in place on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TextIO

from hbspec.render.lines import Line
from hbspec.render.paint import STYLES, visible

BETWEEN_SECONDS = 0.25

Draw = Callable[[Callable[[], Iterable[Line]]], None]


@contextmanager
def live_page(stream: TextIO, *, drawn: bool) -> Iterator[Draw]:
    """A function that draws the lines that it is given a maker of, at most every `BETWEEN_SECONDS`.

    The page is erased at the end.

    Args:
        stream: a terminal.
        drawn: whether anything is drawn.
    """
    if not drawn:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    with Live(console=Console(file=stream, highlight=False), auto_refresh=False, transient=True) as live:
        last = 0.0

        def draw(make: Callable[[], Iterable[Line]]) -> None:
            nonlocal last
            if monotonic() - last < BETWEEN_SECONDS:
                return
            last = monotonic()
            lines = [Text.assemble(*((text, STYLES[style]) for style, text in visible(line))) for line in make()]
            live.update(Text("\n").join(lines), refresh=True)

        yield draw
