"""Findings about files that a spec names."""

from __future__ import annotations

from hbspec.diagnostics import Finding, Route, Severity
from hbspec.manual.shape import PAGES


def refusal(code: str, route: Route, message: str, action: str) -> Finding:
    """An error at the key that names a file, by the code of its page."""
    return Finding(code, PAGES[code].name, Severity.ERROR, route, message, action)
