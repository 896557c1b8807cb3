"""One finding per cause: a finding that another one explains is listed with it instead of being reported separately.

A finding causes the others that disappear when it is fixed: the spec is checked again with each of its `fixes` and
`instead` (`rules.follow`). Where the right value is not known, a rule declares the rules that explain it
(`Rule.beside`): its finding is computed from the value that the other rule reports as wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from hbspec.diagnostics import SEVERITY_ORDER, Finding, Route, Severity


def always(_own: Finding, _other: Finding) -> bool:
    """True for every pair of findings."""
    return True


def same_route(own: Finding, other: Finding) -> bool:
    """Whether both findings are about the same value."""
    return own.route == other.route


def of_first_choices(own: Finding, other: Finding) -> bool:
    """Whether neither finding is about an alternative to an instance type."""
    return "alternatives" not in own.route + other.route


def at_its_cause(own: Finding, other: Finding) -> bool:
    """Whether the other finding is at the route that causes the explained one, or below it."""
    return own.cause is not None and other.route[: len(own.cause)] == own.cause


def as_severe(own: Finding, other: Finding) -> bool:
    """Whether both findings have one severity."""
    return own.severity is other.severity


def both_undecided(own: Finding, other: Finding) -> bool:
    """Whether both findings are warnings: the same wide interval leaves both undecided."""
    return own.severity is other.severity is Severity.WARNING


def undecided(own: Finding, _other: Finding) -> bool:
    """Whether the explained finding is a warning."""
    return own.severity is Severity.WARNING


def undecided_beside_an_error(own: Finding, other: Finding) -> bool:
    """Whether the explained finding is a warning and the other an error."""
    return own.severity is Severity.WARNING and other.severity is Severity.ERROR


CREDENTIAL = "HB605"
"""A finding that is always reported separately: deleting the text does not make the credential secret again."""


class Beside(NamedTuple):
    """Findings of `code` explain this rule's finding if `when(this finding, other finding)` is true."""

    code: str
    when: Callable[[Finding, Finding], bool] = always


Relation = Mapping[str, tuple[Beside, ...]]
"""The rules that explain a rule, by its code. A test ensures that it has no cycles."""


def gathered(
    findings: Iterable[Finding], relation: Relation, gone: Mapping[Finding, frozenset[Finding]] | None = None
) -> dict[Finding, list[Finding]]:
    """The findings that no other explains, each with the findings that it causes, directly or indirectly.

    `gone` maps a finding to the others that disappear when it is fixed. The finding whose fix removes the most is taken
    as a cause first. Of an alternative to an instance type, the worst finding stands for the others: the author
    removes it.
    """
    found = list(dict.fromkeys(findings))
    causes = {finding: cause for finding in found if (cause := explaining(finding, found, relation))}
    for cause, others in sorted((gone or {}).items(), key=lambda entry: -len(entry[1])):
        for finding in found:
            follows = finding in others and finding.code != CREDENTIAL
            if follows and finding not in causes and _root(cause, causes) != finding:
                causes[finding] = cause
    causes |= _of_one_alternative(finding for finding in found if finding not in causes)
    groups: dict[Finding, list[Finding]] = {finding: [] for finding in found if finding not in causes}
    for finding in found:
        if finding in causes:
            groups[_root(finding, causes)].append(finding)
    return groups


def _of_one_alternative(findings: Iterable[Finding]) -> dict[Finding, Finding]:
    """The findings about an alternative that has a worse one, or an earlier one as bad, each with that.

    A claim that an alternative does not keep is a mistake of its own, since a claim can be corrected; and so is a
    credential, whatever else is wrong with the text that holds it.
    """
    worst: dict[Route, Finding] = {}
    others: list[Finding] = []
    for finding in sorted(findings, key=lambda one: SEVERITY_ORDER[one.severity]):
        apart = finding.code == CREDENTIAL or (finding.cause is not None and finding.cause[0] == "expect")
        if "alternatives" in finding.route and not apart and worst.setdefault(finding.route, finding) != finding:
            others.append(finding)
    return {finding: worst[finding.route] for finding in others}


def explaining(finding: Finding, found: Iterable[Finding], relation: Relation) -> Finding | None:
    """The finding that directly explains this one; None if there is none."""
    for beside in relation.get(finding.code, ()):
        for other in found:
            if other.code == beside.code and beside.when(finding, other):
                return other
    return None


def _root(finding: Finding, causes: Mapping[Finding, Finding]) -> Finding:
    while finding in causes:
        finding = causes[finding]
    return finding
