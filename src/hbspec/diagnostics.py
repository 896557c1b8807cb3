"""Findings, which name routes, and diagnostics, which carry spans.

A rule knows *which value* is wrong and yields a `Finding` at a route. Only the engine knows the place of that value in
a file, and turns findings into `Diagnostic`s. A renderer sees only diagnostics.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

Route = tuple[str | int, ...]
"""The path of a value in a spec: `("hyperparameters", "lora_r")`, `("evaluation", 0, "suite")`; `()` is the spec."""


class Severity(StrEnum):
    """The severity of a finding: an error stops a compile, a warning and a note do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Confidence(StrEnum):
    """The confidence in a finding: arithmetic and published limits are certain, estimates are likely."""

    CERTAIN = "certain"
    LIKELY = "likely"


SEVERITY_ORDER: Mapping[Severity, int] = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


CELL = ":cell "
"""What stands between the name of a notebook and the number of a cell, in the name that places in the cell have."""


def cell_name(file: str, number: int) -> str:
    """The name of a cell of a notebook, as other linters write it.

    >>> cell_name("train.ipynb", 3)
    'train.ipynb:cell 3'
    """
    return f"{file}{CELL}{number}"


def file_and_cell(name: str) -> tuple[str, int]:
    """The file that a place is in, and the number of the notebook's cell; 0 where it is in none.

    >>> file_and_cell("train.ipynb:cell 3"), file_and_cell("spec.yaml")
    (('train.ipynb', 3), ('spec.yaml', 0))
    """
    file, found, number = name.rpartition(CELL)
    return (file, int(number)) if found and number.isdecimal() else (name, 0)


class Position(NamedTuple):
    """A place in a text; lines and columns count from 1, columns in characters."""

    line: int
    column: int


class Span(NamedTuple):
    """A part of one file; `end` is exclusive. `file` is the name as the user writes it (`-` for standard input)."""

    file: str
    start: Position
    end: Position


class Renamed(NamedTuple):
    """In the place of a value: the key gets another name, and what it holds stays."""

    key: str


class Fix(NamedTuple):
    """A change that fixes a finding: set the value at `route` to `value`.

    The value is plain data, None, which deletes the key, or `Renamed`. A fix is safe if the job stays as it was
    compiled before: a key without effect goes, a value is spelled otherwise.
    """

    title: str
    route: Route
    value: Any = None
    safe: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The stable JSON form: `rename` stands in the place of `value` where only the key changes."""
        change = {"rename": self.value.key} if isinstance(self.value, Renamed) else {"value": self.value}
        return {"title": self.title, "route": list(self.route), **change, "safe": self.safe}


class Finding(NamedTuple):
    """One defect of a spec, at a route.

    `message` holds the two numbers or names that disagree, `help` one action, and the rule's manual page the reason.
    `at_key` says that the key at the route is wrong, not its value. `cause` is the route of the value that causes the
    finding, if it is another one and known. `instead` are changes that would fix the finding but are not proposed,
    since the author may mean another value; together with `fixes` they reveal its consequences.
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


class Diagnostic(NamedTuple):
    """A finding with its place in a file.

    `excerpt` is the source line at `span.start`, with control characters escaped. `also` are the codes and routes of
    findings with the same cause that are not reported separately.
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
        """The findings in `also`, as in `monitoring.gpu_memory.max (HB110)`."""
        return ", ".join(f"{route_text(route)} ({code})" for code, route in self.also)

    @property
    def sort_key(self) -> tuple[str, int, int, int, int, str, str]:
        """The sort key: file name, then place, then severity, then code and message."""
        start = self.span.start if self.span else Position(0, 0)
        return (
            *file_and_cell(self.file),
            start.line,
            start.column,
            SEVERITY_ORDER[self.severity],
            self.code,
            self.message,
        )

    @property
    def of_file(self) -> Diagnostic:
        """The same for formats that know no cells: at the beginning of the notebook, with the cell in the message."""
        file, cell = file_and_cell(self.file)
        if not cell:
            return self
        line = f", line {self.span.start.line}" if self.span else ""
        start = Span(file, Position(1, 1), Position(1, 2))
        return self._replace(file=file, span=start, excerpt=None, message=f"cell {cell}{line}: {self.message}")

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
            "fixes": [fix.to_dict() for fix in self.fixes],
            "also": [{"code": code, "route": list(route)} for code, route in self.also],
        }


class Report(NamedTuple):
    """The result of one check, with diagnostics in order.

    `allowed` counts findings that an `# hbspec: allow` comment silenced, `ignored` those that the configuration did,
    `skipped` maps rule codes to the reasons why they could not be checked, and `passed_over` names the files that were
    not checked: they do not look like specs, or are hidden. `baselined` counts the findings that a baseline holds.
    """

    files: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]
    allowed: int = 0
    skipped: Mapping[str, str] = {}
    passed_over: tuple[str, ...] = ()
    ignored: int = 0
    baselined: int = 0

    def count(self, severity: Severity) -> int:
        """The number of diagnostics with this severity."""
        return sum(diagnostic.severity is severity for diagnostic in self.diagnostics)

    @property
    def ok(self) -> bool:
        """Whether the report has no errors, which would stop a compile."""
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
                "ignored": self.ignored,
                "baselined": self.baselined,
                "skipped": dict(sorted(self.skipped.items())),
                "passed_over": list(self.passed_over),
            },
        }


def route_text(route: Route) -> str:
    """A route as an author writes it: `evaluation[0].suite`.

    >>> route_text(("evaluation", 0, "suite"))
    'evaluation[0].suite'
    """
    text = ""
    for part in route:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


class Missing(str):
    """The name of a missing input, and the `route` at which the spec gives it."""

    __slots__ = ("route",)
    route: Route

    def __new__(cls, what: str, route: Route) -> Missing:
        """A string with a route."""
        missing = super().__new__(cls, what)
        missing.route = route
        return missing


class NotKnownError(Exception):
    """A quantity that cannot be computed; the message names the missing input."""

    @property
    def route(self) -> Route | None:
        """The route at which the spec gives the missing input; None if unknown."""
        return getattr(self.args[0], "route", None)


def known(value: T | None, what: str) -> T:
    """The value, if it is known.

    Raises:
        NotKnownError: the value is None; `what` names it.
    """
    if value is None:
        raise NotKnownError(what)
    return value
