"""Cases that a policy is tested with: specs and requests, each with the lines that it must break."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from hbspec.configuration import ConfigurationError
from hbspec.diagnostics import Finding, Report, Severity
from hbspec.manual.policy import LINES, UNUSABLE
from hbspec.policy.read import typed_file
from hbspec.policy.sections import PolicyCases
from hbspec.rules.engine import place

CODES = {page.code: key for key, page in LINES.items()}
"""The key of each line, by its code."""


class Expected(NamedTuple):
    """One case: the file, what is set first, the lines that it must break, and its place in the cases."""

    file: Path
    overrides: tuple[str, ...]
    breaks: frozenset[str]
    place: str


class JudgedCase(NamedTuple):
    """What became of a case: the lines that were broken; None where the file could not be judged, and why."""

    expected: Expected
    broke: frozenset[str] | None
    why: str

    @property
    def ok(self) -> bool:
        """Whether exactly the expected lines were broken."""
        return self.broke == self.expected.breaks

    def to_dict(self) -> dict[str, Any]:
        """The entry in `hbspec policy test --format json`."""
        return {
            "file": str(self.expected.file),
            "place": self.expected.place,
            "ok": self.ok,
            "expected": sorted(self.expected.breaks),
            "broke": None if self.broke is None else sorted(self.broke),
            "why": self.why,
        }


def read_cases(path: Path) -> tuple[Expected, ...]:
    """The cases in a file.

    Raises:
        ConfigurationError: the file is not one of cases, or expects a line that no policy has.
    """
    found, document = typed_file(path, PolicyCases)
    wrong = [
        Finding(
            UNUSABLE.code, UNUSABLE.name, Severity.ERROR, ("cases", at, "breaks", index),
            f"{word} is neither a line of a policy nor its code", f"lines are {', '.join(LINES)}",
        )
        for at, case in enumerate(found.cases)
        for index, word in enumerate(case.breaks)
        if word not in LINES and word not in CODES
    ]  # fmt: skip
    if wrong:
        raise ConfigurationError(place(document, wrong).diagnostics)
    return tuple(
        Expected(
            path.parent / case.file,
            case.set,
            frozenset(CODES.get(word, word) for word in case.breaks),
            f"{path}:{span.start.line}" if (span := document.span(("cases", at, "file"))) else str(path),
        )
        for at, case in enumerate(found.cases)
    )


def judged_case(expected: Expected, report: Report) -> JudgedCase:
    """What a report says of a case; a file that could not be read as a spec or a request is not judged."""
    unread = next(_unread(report), None)
    if unread is not None:
        return JudgedCase(expected, None, unread)
    broke = frozenset(CODES[entry.code] for entry in report.diagnostics if entry.code in CODES)
    return JudgedCase(expected, broke, "")


def _unread(report: Report) -> Iterator[str]:
    for entry in report.diagnostics:
        if entry.severity is Severity.ERROR and (entry.code < "HB1" or entry.code == UNUSABLE.code):
            yield f"{entry.code} {entry.message}"
