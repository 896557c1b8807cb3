"""A page of the manual: what a code means, why it matters, an example of it and what to write instead."""

from __future__ import annotations

from typing import Any, NamedTuple

from hbspec.diagnostics import Severity


class Page(NamedTuple):
    """One code explained.

    Attributes:
        name: reads well after "allow".
        summary: the defect in one sentence.
        example: YAML that has it.
        instead: YAML that does not.
        severity: the usual one; a single finding may weigh less.
        references: addresses.
        beside: the codes whose findings explain this one, which is then not reported on its own.
    """

    code: str
    name: str
    summary: str
    why: str
    example: str
    instead: str
    severity: Severity = Severity.ERROR
    references: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """One entry of `hbspec rules --format json`."""
        return {
            "code": self.code,
            "name": self.name,
            "severity": self.severity.value,
            "summary": self.summary,
            "why": self.why,
            "example": self.example.strip("\n"),
            "instead": self.instead.strip("\n"),
            "references": list(self.references),
            "beside": list(self.beside),
        }
