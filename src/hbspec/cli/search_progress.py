"""A progress line of a search on a terminal, on standard error, erased at the end."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from hbspec.render.live import Draw

SILENT_SECONDS = 1.0
"""A search that takes less time shows nothing."""


class SearchProgress:
    """Draws how many plans are decided; without a terminal it draws nothing."""

    def __init__(self) -> None:
        self._from = monotonic() + SILENT_SECONDS
        self._open = ExitStack()
        self._draw: Draw | None = None

    def __call__(self, decided: int, plans: int) -> None:
        """Draw the number of decided plans, if it is due."""
        if monotonic() < self._from:
            return
        if self._draw is None:
            from hbspec.render.live import live_page

            self._draw = self._open.enter_context(live_page(sys.stderr, drawn=sys.stderr.isatty()))
        self._draw(lambda: ((("faint", f"{decided:,} of {plans:,} plans decided"),),))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()
