"""Problems of requests, with their places."""

from __future__ import annotations

from dataclasses import dataclass

from hbspec.diagnostics import Route


@dataclass(frozen=True, slots=True)
class Problem:
    """One value that the service would reject.

    `route` is its place in the request body; `check` is the JSON Schema keyword or the name of the rule.
    """

    route: Route
    message: str
    check: str
