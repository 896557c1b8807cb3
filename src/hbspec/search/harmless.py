"""Accepts a changed spec if it has no error that the original spec does not have."""

from __future__ import annotations

from collections.abc import Callable

from hbspec.analysis import Analysis
from hbspec.diagnostics import Diagnostic, Severity
from hbspec.rules.engine import explained, findings_of, place
from hbspec.rules.follow import CLAIM_CONTRADICTED


def harmless(analysis: Analysis) -> Callable[[Analysis], bool]:
    """A predicate: whether a changed spec has no error that `analysis` does not have.

    A claim that the change contradicts does not count: the claim is about the unchanged spec.
    """
    allowed = {CLAIM_CONTRADICTED}
    for entry in _errors(analysis):
        allowed |= {entry.code, *(code for code, _ in entry.also)}
    return lambda changed: {entry.code for entry in _errors(changed)} <= allowed


def _errors(analysis: Analysis) -> list[Diagnostic]:
    report = place(analysis.document, *findings_of(analysis), explained())
    return [entry for entry in report.diagnostics if entry.severity is Severity.ERROR]
