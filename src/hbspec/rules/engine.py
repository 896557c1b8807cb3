"""Runs every rule over an analysis and turns routes into spans; the one place that knows lines and silencers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import cast

from hbspec import rules
from hbspec.analysis import Analysis
from hbspec.diagnostics import Diagnostic, Finding, NotKnownError, Report
from hbspec.rules.rule import RuleModule
from hbspec.source import Document
from hbspec.source.secrets import redact


@cache
def all_rules() -> tuple[RuleModule, ...]:
    """Every module `hbNNN_name` of this package, by code."""
    names = sorted(info.name for info in iter_modules(rules.__path__) if info.name.startswith("hb"))
    return tuple(cast(RuleModule, import_module(f"{rules.__name__}.{name}")) for name in names)


def judge(analysis: Analysis) -> Report:
    """All findings of all rules, placed and sorted.

    A rule whose inputs cannot be known is skipped, and counted with the reason: one cause, one message.
    """
    findings: list[Finding] = list(analysis.findings)
    skipped: dict[str, str] = {}
    for module in all_rules():
        try:
            findings.extend(module.check(analysis))
        except NotKnownError as reason:
            skipped[module.RULE.code] = redact(f"not known: {reason}")
    return place(analysis.document, findings, skipped)


def place(document: Document, findings: Iterable[Finding], skipped: dict[str, str] | None = None) -> Report:
    """Findings of one document as a report: spans, excerpts, silencers, order."""
    diagnostics = [_diagnostic(document, finding) for finding in findings]
    shown = [diagnostic for diagnostic in diagnostics if not _allowed(document, diagnostic)]
    return Report(
        files=(document.file,),
        diagnostics=tuple(sorted(set(shown), key=lambda diagnostic: diagnostic.sort_key)),
        allowed=len(diagnostics) - len(shown),
        skipped=skipped or {},
    )


def merge(reports: Sequence[Report]) -> Report:
    """Several files as one report."""
    return Report(
        files=tuple(file for report in reports for file in report.files),
        diagnostics=tuple(
            sorted(
                (diagnostic for report in reports for diagnostic in report.diagnostics),
                key=lambda diagnostic: diagnostic.sort_key,
            )
        ),
        allowed=sum(report.allowed for report in reports),
        skipped={code: reason for report in reports for code, reason in report.skipped.items()},
        passed_over=tuple(file for report in reports for file in report.passed_over),
    )


def _diagnostic(document: Document, finding: Finding) -> Diagnostic:
    key = document.key_spans.get(finding.route) if finding.at_key else None
    span = key or document.span(finding.route)
    return Diagnostic(
        code=finding.code,
        name=finding.name,
        severity=finding.severity,
        confidence=finding.confidence,
        file=span.file if span else document.file,
        route=finding.route,
        span=span,
        message=redact(finding.message),
        help=redact(finding.help),
        fixes=finding.fixes,
        excerpt=document.excerpt(span) if span else None,
    )


def _allowed(document: Document, diagnostic: Diagnostic) -> bool:
    """Whether an `# hbspec: allow CODE` comment stands on the diagnostic's line."""
    if diagnostic.span is None:
        return False
    words = document.allowed.get(diagnostic.span.file, {}).get(diagnostic.span.start.line, frozenset())
    return diagnostic.code in words or diagnostic.name in words
