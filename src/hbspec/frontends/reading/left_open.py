"""What a foreign file leaves open: values that only running a program tells, and values that stand in for others."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from hbspec.diagnostics import Route, Severity, Span

Said = Callable[[Route], bool]
"""Whether a value of the spec comes from elsewhere than the file: a file beside it, or the command line."""


class Guess(NamedTuple):
    """A value that stands in for one that nothing says: the words for what is missing, and for what is taken."""

    route: Route
    what: str
    taken: str


class OpenValue(NamedTuple):
    """A value of the file that is not known.

    Attributes:
        route: the value of the spec that would be it; None if there is none.
        key: the author's name for it.
        expression: what stands there.
        span: its place.
        matters: whether it may influence memory.
    """

    route: Route | None
    key: str
    expression: str
    span: Span | None
    matters: bool


class Remark(NamedTuple):
    """A finding about a file, at a place of it and not at a value of the spec."""

    code: str
    severity: Severity
    span: Span | None
    message: str
    help: str
