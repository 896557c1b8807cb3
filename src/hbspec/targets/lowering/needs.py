"""The keys that a target requires: a missing one is an error at its route."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from hbspec.diagnostics import Finding, Route, Severity, route_text
from hbspec.manual.shape import PAGES as OF_SHAPES
from hbspec.manual.targets import PAGES as OF_TARGETS

T = TypeVar("T")


class LoweringError(Exception):
    """A spec that cannot be compiled to a target; `findings` say why, at the keys."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(finding.message for finding in findings))
        self.findings = tuple(findings)


def refusal(code: str, route: Route, message: str, action: str) -> Finding:
    """An error that only a target can find."""
    page = OF_SHAPES.get(code) or OF_TARGETS[code]
    return Finding(code, page.name, Severity.ERROR, route, message, action)


class Needs:
    """Collects keys that are missing or cannot be said, so that all of them are reported at once."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.findings: list[Finding] = []

    def take(self, value: T | None, route: Route, default: T, action: str | None = None) -> T:
        """The value; if it is None, `default`, with a finding that makes `done` raise."""
        if value is not None:
            return value
        key = route_text(route)
        self.findings.append(
            refusal("HB040", route, f"target {self.target} needs {key}, which is missing", action or f"add {key}")
        )
        return default

    def leave_out(self, value: object, route: Route, reason: str, action: str) -> None:
        """Refuse a value that the target has no way to say; nothing happens where it is not set.

        Args:
            value: of the key; None, false, and an empty mapping or list are not set.
            route: of the key.
            reason: why the target cannot say it, a clause.
            action: what to do about it.
        """
        if value:
            message = f"target {self.target} cannot say {route_text(route)}: {reason}"
            self.findings.append(refusal("HB542", route, message, action))

    def done(self) -> None:
        """Raise `LoweringError` if any key was missing, or cannot be said."""
        if self.findings:
            raise LoweringError(self.findings)
