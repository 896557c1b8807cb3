"""How far reading has come, on a terminal: one line on standard error, written over itself, gone at the end."""

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
"""What is done by then needs no bar."""
BETWEEN_SECONDS = 0.1
BAR_COLUMNS = 30
ERASE = "\r\x1b[K"


class Progress:
    """Told of bytes read, draws a bar; without a terminal it does nothing."""

    def __init__(self, files: Sequence[DataFile]) -> None:
        sizes = [file.size for file in files]
        self._total = sum(size or 0 for size in sizes) if None not in sizes else None
        self._read = 0
        self._next = monotonic() + SILENT_SECONDS
        self._shown = False
        self._terminal = sys.stderr.isatty()

    def __call__(self, size: int) -> None:
        """Take note of `size` bytes more."""
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
    """The line: a bar and how much of how much, or how much alone where the total is not known.

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
