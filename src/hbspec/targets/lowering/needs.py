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
    """Collects missing keys, so that all of them are reported at once."""

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

    def done(self) -> None:
        """Raise `LoweringError` if any key was missing."""
        if self.findings:
            raise LoweringError(self.findings)
