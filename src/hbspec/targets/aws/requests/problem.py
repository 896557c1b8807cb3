"""What is wrong with a request, and where."""

from __future__ import annotations

from dataclasses import dataclass

from hbspec.diagnostics import Route


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that the service would refuse.

    `route` is the place in the request body; `check` is the JSON Schema keyword or the name of the rule that found it.
    """

    route: Route
    message: str
    check: str
