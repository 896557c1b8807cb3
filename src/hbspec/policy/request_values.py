"""Values of a request as the service takes them: a value of another kind is not one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.diagnostics import Route


def at(value: Any, route: Route) -> Any:
    """The value at a route of mappings; None where there is none."""
    for part in route:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def number(value: Any) -> int | None:
    """A whole number above 0; None for anything else, also for a number in quotes.

    >>> number(2), number("2"), number(True), number(0)
    (2, None, None, None)
    """
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def text(value: Any) -> str | None:
    """A string that is not blank; None for anything else."""
    return value if isinstance(value, str) and value.strip() else None
