"""What is said to the author: findings name routes, diagnostics carry spans.

A rule knows *which value* is wrong and yields a `Finding` at a route. Only the engine knows where that
value stands in which file, and turns findings into `Diagnostic`s. A renderer sees diagnostics only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

Route = tuple[str | int, ...]
"""The path of a value in a spec: `("hyperparameters", "lora_r")`, `("evaluation", 0, "suite")`; `()` is the whole."""


class Severity(StrEnum):
    """How much a finding weighs: an error stops a compile, a warning and a note do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Confidence(StrEnum):
    """How sure the finding is: arithmetic and published limits are certain, estimates are likely."""

    CERTAIN = "certain"
    LIKELY = "likely"


SEVERITY_ORDER: Mapping[Severity, int] = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


class Position(NamedTuple):
    """A place in a text; line and column count from 1, columns in characters."""

    line: int
    column: int


class Span(NamedTuple):
    """A stretch of one file; `end` is exclusive. `file` is the name as the user would write it (`-` for stdin)."""

    file: str
    start: Position
    end: Position


class Fix(NamedTuple):
    """A change that would mend a finding: set the value at `route` to `value` (plain data; None deletes the key)."""

    title: str
    route: Route
    value: Any = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect, as a rule sees it.

    `message` holds the two numbers or names that disagree, `help` one action, and the rule's manual page the reason.
    `at_key` says that the key at the route is what is wrong, and not its value. `cause` is the route of the value that
    the finding follows from, where that is another one and is known. `instead` are changes that would mend the finding
    and are not proposed, since the author may mean another value; with `fixes` they show what follows from it.
    """

    code: str
    name: str
    severity: Severity
    route: Route
    message: str
    help: str
    confidence: Confidence = Confidence.CERTAIN
    fixes: tuple[Fix, ...] = ()
    at_key: bool = False
    cause: Route | None = None
    instead: tuple[Fix, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A finding with its place.

    `excerpt` is the source line at `span.start`, control characters escaped. `also` are the findings of the same cause
    that are not reported on their own: their codes and routes.
    """

    code: str
    name: str
    severity: Severity
    confidence: Confidence
    file: str
    route: Route
    span: Span | None
    message: str
    help: str
    fixes: tuple[Fix, ...] = ()
    excerpt: str | None = None
    also: tuple[tuple[str, Route], ...] = ()

    @property
    def also_text(self) -> str:
        """What follows from it, as in `monitoring.gpu_memory.max (HB110)`."""
        return ", ".join(f"{route_text(route)} ({code})" for code, route in self.also)

    @property
    def sort_key(self) -> tuple[str, int, int, int, str, str]:
        """Files in the order of their names, then places, then the heavier finding first."""
        start = self.span.start if self.span else Position(0, 0)
        return (self.file, start.line, start.column, SEVERITY_ORDER[self.severity], self.code, self.message)

    def to_dict(self) -> dict[str, Any]:
        """The stable JSON form; lines and columns from 1."""
        span = self.span
        return {
            "code": self.code,
            "name": self.name,
            "severity": self.severity.value,
            "confidence": self.confidence.value,
            "file": self.file,
            "route": list(self.route),
            "span": span
            and {
                "start": {"line": span.start.line, "column": span.start.column},
                "end": {"line": span.end.line, "column": span.end.column},
            },
            "message": self.message,
            "help": self.help,
            "fixes": [{"title": fix.title, "route": list(fix.route), "value": fix.value} for fix in self.fixes],
            "also": [{"code": code, "route": list(route)} for code, route in self.also],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one check has to say, in order.

    `allowed` counts findings that an `# hbspec: allow` comment silenced, `skipped` maps rule codes to why they
    could not be judged, `passed_over` names the files that were not judged: they do not look like specs, or are hidden.
    """

    files: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]
    allowed: int = 0
    skipped: Mapping[str, str] = field(default_factory=dict)
    passed_over: tuple[str, ...] = ()

    def count(self, severity: Severity) -> int:
        """How many diagnostics have this severity."""
        return sum(diagnostic.severity is severity for diagnostic in self.diagnostics)

    @property
    def ok(self) -> bool:
        """Whether nothing stops a compile: warnings and notes are allowed."""
        return not self.count(Severity.ERROR)

    def to_dict(self) -> dict[str, Any]:
        """The document that `hbspec check --format json` prints."""
        return {
            "format_version": 1,
            "diagnostics": [diagnostic.to_dict() for diagnostic in self.diagnostics],
            "summary": {
                "files": len(self.files),
                "errors": self.count(Severity.ERROR),
                "warnings": self.count(Severity.WARNING),
                "notes": self.count(Severity.NOTE),
                "allowed": self.allowed,
                "skipped": dict(sorted(self.skipped.items())),
                "passed_over": list(self.passed_over),
            },
        }


def route_text(route: Route) -> str:
    """A route as people write it: `evaluation[0].suite`.

    >>> route_text(("evaluation", 0, "suite"))
    'evaluation[0].suite'
    """
    text = ""
    for part in route:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


class Missing(str):
    """An input that is missing, in words; `route` is where the spec gives it."""

    __slots__ = ("route",)
    route: Route

    def __new__(cls, what: str, route: Route) -> Missing:
        """The words, with their route."""
        missing = super().__new__(cls, what)
        missing.route = route
        return missing


class NotKnownError(Exception):
    """A quantity cannot be computed; the message says which input is missing."""

    @property
    def route(self) -> Route | None:
        """Where the spec gives the missing input, if that is known."""
        return getattr(self.args[0], "route", None)


def known(value: T | None, what: str) -> T:
    """`value`, or a `NotKnownError` that says what is missing.

    Raises:
        NotKnownError: the value is None.
    """
    if value is None:
        raise NotKnownError(what)
    return value
