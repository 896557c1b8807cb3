"""A progress bar on a terminal: one line on standard error, overwritten in place and erased at the end."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from time import monotonic
from types import TracebackType
from typing import Self

from hbspec.dataset.files import DataFile
from hbspec.units import bytes_text

SILENT_SECONDS = 1.0
"""Reading that takes less time shows no bar."""
BETWEEN_SECONDS = 0.1
BAR_COLUMNS = 30
ERASE = "\r\x1b[K"


class Progress:
    """A progress bar over the bytes of data files; without a terminal it draws nothing."""

    def __init__(self, files: Sequence[DataFile]) -> None:
        sizes = [file.size for file in files]
        self._total = sum(size or 0 for size in sizes) if None not in sizes else None
        self._read = 0
        self._next = monotonic() + SILENT_SECONDS
        self._shown = False
        self._terminal = sys.stderr.isatty()

    def __call__(self, size: int) -> None:
        """Count `size` more bytes, and redraw the bar if it is due."""
        self._read += size
        if self._terminal and monotonic() >= self._next:
            self._next = monotonic() + BETWEEN_SECONDS
            self._shown = True
            sys.stderr.write(f"{ERASE}{bar(self._read, self._total, shutil.get_terminal_size().columns)}")
            sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        if self._shown:
            sys.stderr.write(ERASE)
            sys.stderr.flush()


def bar(read: int, total: int | None, columns: int) -> str:
    """A bar with the percentage read and the total, or the bytes read where the total is unknown (None).

    >>> bar(250_000_000, 1_000_000_000, 80)
    '[#######.......................] 25 % of 1.00 GB'
    >>> bar(250_000_000, None, 80)
    '250 MB read'
    """
    if not total:
        text = f"{bytes_text(read)} read"
    else:
        share = min(read / total, 1.0)
        filled = int(share * BAR_COLUMNS)
        text = f"[{'#' * filled:.<{BAR_COLUMNS}}] {int(100 * share)} % of {bytes_text(total)}"
    return text[: max(columns - 1, 0)]
