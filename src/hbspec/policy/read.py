"""Reading of a policy: with the reader of specs, so that each of its lines has a place, and all faults at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from hbspec.configuration import ConfigurationError
from hbspec.diagnostics import Finding, Route, Severity, route_text
from hbspec.manual import policy as pages
from hbspec.manual.page import Page
from hbspec.policy.contradictions import contradictions
from hbspec.policy.sections import PolicyLines
from hbspec.rules.engine import place
from hbspec.showing.secrets import redact
from hbspec.source import Document, SourceError, load
from hbspec.source.files import decode
from hbspec.source.limits import MAX_BYTES
from hbspec.source.paths import UnreadablePathError, read_bytes
from hbspec.source.problems import Problems
from hbspec.spec import Section

S = TypeVar("S", bound=Section)


@dataclass(frozen=True, eq=False)
class Policy:
    """A policy as read: its lines, the document that they are in, and the SHA-256 of the file."""

    lines: PolicyLines
    document: Document
    digest: str

    def place(self, *route: str) -> str:
        """The place of a line, as in `policy.yaml:7 (regions)`."""
        span = self.document.key_spans.get(route) or self.document.span(route)
        number = f":{span.start.line}" if span else ""
        return f"{self.document.file}{number} ({route_text(route)})"


def read_policy(path: Path, expected: str | None = None) -> Policy:
    """The policy in a file.

    Args:
        path: the file.
        expected: the SHA-256 that the file must have, in hexadecimal digits.

    Raises:
        ConfigurationError: the file cannot be read, is not a policy, contradicts itself, or is another than expected.
    """
    document, digest = _document(path)
    if expected is not None and digest != expected.lower().removeprefix("sha256:"):
        message = f"the SHA-256 of {path} is {digest}, not {expected}"
        action = "use the policy that is expected, or expect this one once it is reviewed"
        raise _refused(document, [_fault(pages.NOT_EXPECTED, (), message, action)])
    lines = typed(document, PolicyLines)
    if wrong := [_fault(pages.UNUSABLE, *one) for one in contradictions(lines)]:
        raise _refused(document, wrong)
    return Policy(lines, document, digest)


def typed_file(path: Path, section: type[S]) -> tuple[S, Document]:
    """The content of a file as a section, and its document.

    Raises:
        ConfigurationError: the file cannot be read, or is not as the section describes.
    """
    document = _document(path)[0]
    return typed(document, section), document


def _document(path: Path) -> tuple[Document, str]:
    problems = Problems()
    try:
        data = read_bytes(path, MAX_BYTES)
    except UnreadablePathError as reason:
        problems.add(pages.UNUSABLE, str(path), f"{path} {reason}", "give the path of a readable file")
        raise ConfigurationError(problems.error().diagnostics) from None
    text = decode(data, str(path), problems)
    try:
        problems.raise_any()
        document = load(path, text=text)
    except SourceError as invalid:
        raise ConfigurationError(invalid.diagnostics) from None
    if len(document.texts) > 1:
        message = "a policy cannot extend another file, which its digest would not cover"
        raise _refused(document, [_fault(pages.UNUSABLE, (), message, "write all lines into one file")])
    return document, sha256(data).hexdigest()


def typed(document: Document, section: type[S]) -> S:
    """The values of a document as a section.

    Raises:
        ConfigurationError: they are not as the section describes; it holds every reason.
    """
    try:
        return section.model_validate(document.values)
    except ValidationError as invalid:
        raise _refused(document, list(_faults(invalid, section))) from None


def _faults(invalid: ValidationError, section: type[Section]) -> Iterator[Finding]:
    from hbspec.spelling import nearest

    for error in invalid.errors(include_url=False):
        route: Route = error["loc"]
        key, kind, given = route_text(route), error["type"], error["input"]
        if kind == "extra_forbidden":
            known = list(_known(section, route[:-1]))
            near = nearest(str(route[-1]), known)
            action = f"use {near}" if near else f"keys are {', '.join(known)}"
            yield _fault(pages.UNUSABLE, route, f"{key} is not a key", action)._replace(at_key=True)
        elif kind == "missing":
            yield _fault(pages.UNUSABLE, route, f"{key} is missing", f"add `{route[-1]}:`")
        elif kind == "too_short":
            message = f"{key} is empty, so that nothing would be allowed"
            yield _fault(pages.UNUSABLE, route, message, "list what is allowed, or delete the key")
        elif route == ("policy",):
            message = f"the policy is of version {given!r}; this hbspec reads version 1"
            yield _fault(pages.UNUSABLE, route, message, "write `policy: 1`, or use another version of hbspec")
        else:
            said = str(error["ctx"]["error"]) if kind == "value_error" else f"{_shown(given)}: {error['msg']}"
            yield _fault(pages.UNUSABLE, route, f"{key}: {said}", "correct the value")


def _known(section: type[Section], route: Route) -> Iterator[str]:
    """The keys of the section at a route; sections lie in lists and behind `| None`."""
    from hbspec.policy.sections import Approvals, PolicyCase

    below: dict[str | int, type[Section]] = {"approvals": Approvals, "cases": PolicyCase}
    yield from below.get(route[0], section).model_fields if route else section.model_fields


def _shown(value: Any) -> str:
    text = redact(repr(value))
    return text if len(text) <= 60 else f"{text[:57]}…"


def _fault(page: Page, route: Route, message: str, action: str) -> Finding:
    return Finding(page.code, page.name, Severity.ERROR, route, message, action)


def _refused(document: Document, findings: list[Finding]) -> ConfigurationError:
    return ConfigurationError(place(document, findings).diagnostics)
