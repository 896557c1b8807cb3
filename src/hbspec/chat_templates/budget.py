"""A limit on what a template of a stranger may do while it is tried: a loop that never ends would stop `hbspec check`.

The sandbox of jinja2 bounds `range` alone (`MAX_RANGE`), not loops in loops.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

STEPS = 500_000
"""Lines of compiled templates that may run in one trial, about a second; the longest shipped template takes 3,000."""
COMPILED = "<template>"
"""The file name that jinja2 gives to the code of a template that was read from a string."""


class TooLongError(RuntimeError):
    """A template ran for more than `STEPS` lines."""


class _Steps:
    """A trace function (`sys.settrace`) that counts the lines of templates, and no others."""

    def __init__(self) -> None:
        self.left = STEPS

    def __call__(self, frame: FrameType, *_: Any) -> _Steps | None:
        if frame.f_code.co_filename != COMPILED:
            return None
        self.left -= 1
        if self.left < 0:
            raise TooLongError(f"it runs for more than {STEPS:,} steps")
        return self


@contextmanager
def limited() -> Iterator[None]:
    """Ends templates that run in this block, and in this thread, for more than `STEPS` lines.

    Raises:
        TooLongError: one does.
    """
    before = sys.gettrace()
    sys.settrace(_Steps())
    try:
        yield
    finally:
        sys.settrace(before)
