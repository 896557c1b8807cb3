"""A report as SARIF 2.1.0, for code scanning and editors.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html; section numbers below are of that document.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hbspec import __version__
from hbspec.diagnostics import Diagnostic, Fix, Renamed, Report, Span, route_text
from hbspec.manual import Page
from hbspec.showing.secrets import redact
from hbspec.source.excerpts import underline

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "routeAndCode/v1"


def sarif(report: Report, page: Callable[[str], Page | None]) -> dict[str, Any]:
    """The log of one run.

    Args:
        report: the result of a check.
        page: finds the manual page of a code; None for a code without one.
    """
    codes = sorted({diagnostic.code for diagnostic in report.diagnostics})
    rules = [_rule(code, page(code)) for code in codes]
    seen: Counter[str] = Counter()
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "hbspec", "version": __version__, "rules": rules}},
                "columnKind": "unicodeCodePoints",
                "artifacts": [{"location": {"uri": _uri(file)}} for file in report.files],
                "results": [_result(diagnostic.of_file, codes, seen) for diagnostic in report.diagnostics],
            }
        ],
    }


def _rule(code: str, page: Page | None) -> dict[str, Any]:
    if page is None:
        return {"id": code}
    example, instead = page.example.strip("\n"), page.instead.strip("\n")
    text = f"{page.why}\n\nExample:\n\n{example}\n\nInstead:\n\n{instead}"
    markdown = f"{page.why}\n\nExample:\n\n```yaml\n{example}\n```\n\nInstead:\n\n```yaml\n{instead}\n```"
    rule = {
        "id": code,
        "name": page.name,
        "shortDescription": {"text": page.summary},
        "fullDescription": {"text": page.why},
        "help": {"text": text, "markdown": markdown},
        "defaultConfiguration": {"level": page.severity.value},
    }
    return rule | ({"helpUri": page.references[0]} if page.references else {})


def _result(diagnostic: Diagnostic, codes: Sequence[str], seen: Counter[str]) -> dict[str, Any]:
    span = diagnostic.span
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": _uri(diagnostic.file)}}}
    if span:
        location["physicalLocation"]["region"] = _region(span)
    if diagnostic.route:
        location["logicalLocations"] = [{"fullyQualifiedName": route_text(diagnostic.route)}]
    fixes = [_fix(diagnostic, span, fix) for fix in diagnostic.fixes if span and _in_place(diagnostic, fix)]
    also = f"\nalso: {diagnostic.also_text}" if diagnostic.also else ""
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": codes.index(diagnostic.code),
        "level": diagnostic.severity.value,
        "message": {"text": f"{diagnostic.message}\n{diagnostic.help}{also}"},
        "locations": [location],
        "partialFingerprints": {FINGERPRINT: _fingerprint(diagnostic, seen)},
        "properties": {"confidence": diagnostic.confidence.value},
    }
    return result | ({"fixes": fixes} if fixes else {})


def _in_place(diagnostic: Diagnostic, fix: Fix) -> bool:
    """Whether a fix replaces the plain value or the key that the diagnostic points to by another.

    The span of a missing key is that of its section, which must not be overwritten.
    """
    span, shown = diagnostic.span, diagnostic.excerpt
    if span is None or shown is None or span.start.line != span.end.line or fix.route != diagnostic.route:
        return False
    before, marked = underline(shown, span)
    covered = shown[before : before + marked]
    if isinstance(fix.value, Renamed):
        return covered == diagnostic.route[-1]
    is_value = covered not in diagnostic.route and not covered.startswith(("{", "["))
    return is_value and isinstance(fix.value, str | int | float)


def _fix(diagnostic: Diagnostic, span: Span, fix: Fix) -> dict[str, Any]:
    """A fix with its value in JSON, which is the same scalar in YAML 1.2."""
    text = fix.value.key if isinstance(fix.value, Renamed) else json.dumps(fix.value)
    replacement = {"deletedRegion": _region(span), "insertedContent": {"text": text}}
    change = {"artifactLocation": {"uri": _uri(diagnostic.file)}, "replacements": [replacement]}
    return {"description": {"text": fix.title}, "artifactChanges": [change]}


def _region(span: Span) -> dict[str, int]:
    """The region of a span; in both, columns count from 1 and the end is exclusive (3.30.5 to 3.30.8)."""
    return {
        "startLine": span.start.line,
        "startColumn": span.start.column,
        "endLine": span.end.line,
        "endColumn": span.end.column,
    }


def _fingerprint(diagnostic: Diagnostic, seen: Counter[str]) -> str:
    """A hash that is stable when lines move: of the code and its key (3.27.17), numbered where both repeat."""
    key = f"{diagnostic.code} {route_text(diagnostic.route)}"
    seen[f"{diagnostic.file} {key}"] += 1
    return f"{sha256(key.encode(errors='surrogatepass')).hexdigest()[:32]}:{seen[f'{diagnostic.file} {key}']}"


def _uri(file: str) -> str:
    """A file's name as a reference relative to the working folder (3.4.3); `stdin` for standard input.

    One that is given by an absolute path and is not below that folder keeps it, as a URI with a scheme.
    """
    if file == "-":
        return "stdin"
    path = Path(redact(file))
    if path.is_absolute():
        here = Path.cwd()
        if not path.is_relative_to(here):
            return path.as_uri()
        path = path.relative_to(here)
    return quote(path.as_posix().replace("\\", "/"), safe="/", errors="surrogateescape")
