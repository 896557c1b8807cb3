"""Runs every rule on an analysis, resolves routes to spans, and applies `# hbspec: allow` comments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import cast

from hbspec import rules
from hbspec.analysis import Analysis
from hbspec.configuration import EVERYTHING, Configuration
from hbspec.diagnostics import SEVERITY_ORDER, Diagnostic, Finding, NotKnownError, Report
from hbspec.rules.causes import Relation, gathered
from hbspec.rules.rule import AdvisingModule, RuleModule
from hbspec.rules.silence import Silence
from hbspec.showing.secrets import redact, redact_route
from hbspec.source import Document


@cache
def all_rules() -> tuple[RuleModule, ...]:
    """Every module `hbNNN_name` of this package, by code."""
    names = sorted(info.name for info in iter_modules(rules.__path__) if info.name.startswith("hb"))
    return tuple(cast(RuleModule, import_module(f"{rules.__name__}.{name}")) for name in names)


def findings_of(
    analysis: Analysis, *, again: bool = False, codes: Set[str] | None = None
) -> tuple[list[Finding], dict[str, str]]:
    """All findings of all rules, and by code the unknown input for which a rule was skipped.

    Args:
        analysis: the spec.
        again: whether it only tries a change to a spec that is judged, for which some rules are not asked.
        codes: the rules that are asked; None for all.
    """
    findings: list[Finding] = list(analysis.findings)
    skipped: dict[str, str] = {}
    translated = analysis.document.translated
    guessed = translated.guessed if translated else frozenset()
    for module in all_rules():
        if codes is not None and module.RULE.code not in codes:
            continue
        if again and module.RULE.once:
            skipped[module.RULE.code] = "not asked again"
            continue
        try:
            findings.extend(found for found in module.check(analysis) if found.route not in guessed)
        except NotKnownError as reason:
            skipped[module.RULE.code] = redact(f"not known: {reason}")
    return findings, skipped


def findings_again(analysis: Analysis, codes: Set[str] | None = None) -> tuple[list[Finding], dict[str, str]]:
    """`findings_of` a spec that only tries a change."""
    return findings_of(analysis, again=True, codes=codes)


@cache
def explained() -> Relation:
    """The rules whose findings explain those of a rule, by the rule's code."""
    return {module.RULE.code: module.RULE.beside for module in all_rules() if module.RULE.beside}


@cache
def advising_rules() -> Mapping[str, AdvisingModule]:
    """The rules whose help is searched for, by code."""
    return {module.RULE.code: module for module in all_rules() if isinstance(module, AdvisingModule)}


def place(
    document: Document,
    findings: Iterable[Finding],
    skipped: dict[str, str] | None = None,
    relation: Relation | None = None,
    gone: Mapping[Finding, frozenset[Finding]] | None = None,
    configuration: Configuration = EVERYTHING,
    *,
    every_rule: bool = False,
) -> Report:
    """The findings of one document as a report: by cause, sorted, with spans, without allowed and ignored ones.

    Where they are those of every rule, a comment that allows none of them is reported, too.
    """
    groups = gathered(findings, relation or {}, gone)
    silence = Silence(document, configuration)
    shown = [
        diagnostic
        for cause, following in groups.items()
        for diagnostic in _of_one_cause(
            silence.kept(_diagnostic(document, cause, configuration)),
            [silence.kept(_diagnostic(document, finding, configuration)) for finding in following],
        )
    ]
    said = sum(1 + len(diagnostic.also) for diagnostic in shown)
    shown += silence.unused(skipped or {}) if every_rule else ()
    silent = sum(1 + len(following) for following in groups.values()) - said
    return Report(
        files=(document.file,),
        diagnostics=tuple(sorted(shown, key=lambda diagnostic: diagnostic.sort_key)),
        allowed=silent - silence.ignored,
        ignored=silence.ignored,
        skipped=skipped or {},
    )


def _of_one_cause(first: tuple[Diagnostic, bool], following: Iterable[tuple[Diagnostic, bool]]) -> list[Diagnostic]:
    """One diagnostic for a cause, with the severity of the worst finding in its group; each with whether it is kept.

    Silencing a finding also silences the findings that it causes, except more severe ones, which are still reported.
    """
    cause, kept = first
    others = [diagnostic for diagnostic, is_kept in following if is_kept]
    if not kept:
        return [other for other in others if SEVERITY_ORDER[other.severity] < SEVERITY_ORDER[cause.severity]]
    worst = min((cause, *others), key=lambda diagnostic: SEVERITY_ORDER[diagnostic.severity])
    also = tuple((other.code, other.route) for other in sorted(others, key=lambda other: other.sort_key))
    return [cause._replace(severity=worst.severity, also=also)]


def merge(reports: Sequence[Report]) -> Report:
    """The reports of several files as one report."""
    return Report(
        files=tuple(file for report in reports for file in report.files),
        diagnostics=tuple(
            sorted(
                (diagnostic for report in reports for diagnostic in report.diagnostics),
                key=lambda diagnostic: diagnostic.sort_key,
            )
        ),
        allowed=sum(report.allowed for report in reports),
        ignored=sum(report.ignored for report in reports),
        skipped={code: reason for report in reports for code, reason in report.skipped.items()},
        passed_over=tuple(file for report in reports for file in report.passed_over),
    )


def _diagnostic(document: Document, finding: Finding, configuration: Configuration) -> Diagnostic:
    key = document.key_spans.get(finding.route) if finding.at_key else None
    span = key or document.span(finding.route)
    return Diagnostic(
        code=finding.code,
        name=finding.name,
        severity=configuration.severity_of(finding.code, finding.name, finding.severity),
        confidence=finding.confidence,
        file=span.file if span else document.file,
        route=redact_route(finding.route),
        span=span,
        message=redact(finding.message),
        help=redact(finding.help),
        # the file of another program has no key of this route
        fixes=tuple(fix._replace(route=redact_route(fix.route)) for fix in finding.fixes if not document.translated),
        excerpt=document.excerpt(span) if span else None,
    )
