"""The settings of a change as an author writes them in a file."""

from __future__ import annotations

from typing import Any

from hbspec.analysis.change import Change
from hbspec.diagnostics import Route

DURATIONS: frozenset[Route] = frozenset({("instance", "max_wait"), ("instance", "max_runtime")})


def written(change: Change) -> dict[Route, Any]:
    """Plain values by route; None deletes the key."""
    return {
        route: duration(value) if route in DURATIONS and value is not None else value
        for route, value in change.settings.items()
    }


def duration(seconds: float) -> str:
    """A duration in the largest unit of which it is a whole number.

    >>> duration(28800.0), duration(5400), duration(90)
    ('8h', '90m', '90s')
    """
    whole = round(seconds)
    for unit, size in (("h", 3600), ("m", 60)):
        if whole % size == 0:
            return f"{whole // size}{unit}"
    return f"{whole}s"
