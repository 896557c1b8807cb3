"""Accepts a changed spec if it has no error, and passes no limit, that the original spec does not."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from hbspec.analysis import Analysis
from hbspec.diagnostics import Diagnostic, Severity
from hbspec.rules.engine import explained, findings_again, place
from hbspec.rules.follow import CLAIM_CONTRADICTED
from hbspec.rules.within_limits import within_limits


def harmless(analysis: Analysis) -> Callable[[Analysis], bool]:
    """A predicate: whether a changed spec has no error that `analysis` does not have.

    Nor is it expected to pass `max_runtime` or the budget where `analysis` is not, though that is an error only where
    it is certain.
    A claim that the change contradicts does not count: the claim is about the unchanged spec. `analysis` is judged when
    the first change is.
    """

    @cache
    def allowed() -> frozenset[str]:
        known = ((entry.code, *(code for code, _ in entry.also)) for entry in errors_of(analysis))
        return frozenset({CLAIM_CONTRADICTED}.union(*known))

    within = within_limits(analysis)
    return lambda changed: within(changed) and {entry.code for entry in errors_of(changed)} <= allowed()


def errors_of(analysis: Analysis) -> list[Diagnostic]:
    """The errors of a spec, without the search for what each of them explains or for its help."""
    report = place(analysis.document, *findings_again(analysis), explained())
    return [entry for entry in report.diagnostics if entry.severity is Severity.ERROR]
