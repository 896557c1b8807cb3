"""Finds the effects of a finding: the others that disappear when the spec is checked with that finding fixed.

The rules of the others are asked first. Mostly none of them disappears, and no other rule need be asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Route, Severity

Judged = tuple[list[Finding], dict[str, str]]
"""Findings, and by code the reason why a rule was skipped."""
Judge = Callable[[Analysis, Set[str] | None], Judged]
"""Asks the rules of these codes, or all."""
Place = tuple[str, Route]

CLAIM_CONTRADICTED = "HB401"
"""An error that a correct change may cause: a claim about the original job may not hold for the changed one."""


def followed(analysis: Analysis, judged: Judged, judge: Judge) -> Mapping[Finding, frozenset[Finding]]:
    """The other findings that disappear when a finding is fixed in one of the possible ways, by finding."""
    findings = judged[0]
    if len(set(findings)) < 2:
        return {}
    return {
        cause: frozenset(_gone(analysis, cause, judged, judge))
        for cause in findings
        if cause.severity is not Severity.NOTE and (cause.fixes or cause.instead)
    }


def _gone(analysis: Analysis, cause: Finding, judged: Judged, judge: Judge) -> Iterator[Finding]:
    from hbspec.analysis.fixed import fixed  # only a spec with findings is checked again

    others = set(judged[0]) - {cause}
    for changed in fixed(analysis, cause):
        left, lacking = judge(changed, {other.code for other in others})
        judged_again = (other for other in others if other.code not in lacking or other.code in judged[1])
        gone = {other for other in judged_again if _place(other) not in _places(left)}
        if gone and _mends(cause, judged, judge(changed, None)[0]):
            yield from gone
            others -= gone
        if not others:
            return


def _mends(cause: Finding, judged: Judged, left: Iterable[Finding]) -> bool:
    """Whether a change removes the cause and introduces no new error of a rule that was checked before."""
    findings, skipped = judged
    wrong, wrong_before = (
        {_place(one) for one in found if one.severity is Severity.ERROR} for found in (left, findings)
    )
    brought = {code for code, _ in wrong - wrong_before} - {CLAIM_CONTRADICTED, *skipped}
    return not brought and _place(cause) not in _places(left)


def _places(findings: Iterable[Finding]) -> set[Place]:
    return {_place(finding) for finding in findings}


def _place(finding: Finding) -> Place:
    return finding.code, finding.route
