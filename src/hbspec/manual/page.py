"""A page of the manual: what a code means, why it matters, an example and its correction."""

from __future__ import annotations

from typing import Any, NamedTuple

from hbspec.diagnostics import Severity


class Page(NamedTuple):
    """The manual page of one code.

    Attributes:
        code: `HB` and three digits.
        name: in kebab case; reads well after "allow".
        summary: the defect in one sentence.
        why: the cost of the defect, in a paragraph.
        example: YAML with the defect.
        instead: the same YAML, corrected.
        severity: the usual severity; a single finding may be less severe.
        references: URLs.
        beside: codes whose findings explain this one, which is then not reported separately.
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
        """The entry in `hbspec rules --format json`."""
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
