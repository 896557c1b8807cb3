"""What a target cannot do without: a section that is missing is an error at its key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from hbspec.diagnostics import Finding, Route, Severity, route_text
from hbspec.manual.shape import PAGES

T = TypeVar("T")


class TargetError(Exception):
    """A spec that cannot be lowered to a target; `findings` says why, at the keys."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(finding.message for finding in findings))
        self.findings = tuple(findings)


def refusal(code: str, route: Route, message: str, action: str) -> Finding:
    """An error that only a target can know."""
    return Finding(code, PAGES[code].name, Severity.ERROR, route, message, action)


class Needs:
    """Collects what is missing, so that all of it is said at once."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.findings: list[Finding] = []

    def take(self, value: T | None, route: Route, default: T, action: str | None = None) -> T:
        """The value; where it is missing a finding is noted and the stand-in returned, which `done` never lets out."""
        if value is not None:
            return value
        key = route_text(route)
        self.findings.append(
            refusal("HB040", route, f"target {self.target} needs {key}, which is missing", action or f"add {key}")
        )
        return default

    def done(self) -> None:
        """Raises `TargetError` if anything was missing."""
        if self.findings:
            raise TargetError(self.findings)
