"""One cause, one finding: a finding that another one explains is named with it instead of being reported.

Whatever is gone once a finding is mended follows from it: the spec is judged anew with each of the finding's `fixes`
and `instead` (`rules.follow`). Where nobody can say what the right value would be, a rule declares the rules that
explain it (`Rule.beside`): its finding is computed from the very value that the other calls wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from hbspec.diagnostics import Finding, Severity


def always(_own: Finding, _other: Finding) -> bool:
    """Wherever both are found."""
    return True


def same_route(own: Finding, other: Finding) -> bool:
    """Both speak of one value."""
    return own.route == other.route


def at_its_cause(own: Finding, other: Finding) -> bool:
    """The other stands at the value that the explained one follows from, or inside that section."""
    return own.cause is not None and other.route[: len(own.cause)] == own.cause


def both_undecided(own: Finding, other: Finding) -> bool:
    """Both only may be so: one wide interval is what neither decides."""
    return own.severity is other.severity is Severity.WARNING


def undecided(own: Finding, _other: Finding) -> bool:
    """What is explained only may be so."""
    return own.severity is Severity.WARNING


def undecided_beside_an_error(own: Finding, other: Finding) -> bool:
    """What is explained only may be so, and the other is certain to stop the job."""
    return own.severity is Severity.WARNING and other.severity is Severity.ERROR


class Beside(NamedTuple):
    """Findings of `code` explain this rule's, where `when` holds of this rule's finding and the other."""

    code: str
    when: Callable[[Finding, Finding], bool] = always


Relation = Mapping[str, tuple[Beside, ...]]
"""By code, the rules that explain it. A test holds it free of cycles."""


def gathered(
    findings: Iterable[Finding], relation: Relation, gone: Mapping[Finding, frozenset[Finding]] | None = None
) -> dict[Finding, list[Finding]]:
    """The findings that no other explains, each with those that follow from it, directly or in turn.

    `gone` are, by finding, the others that are gone once it is mended. What mends most is taken for a cause first.
    """
    found = list(dict.fromkeys(findings))
    causes = {finding: cause for finding in found if (cause := explaining(finding, found, relation))}
    for cause, others in sorted((gone or {}).items(), key=lambda entry: -len(entry[1])):
        for finding in found:
            if finding in others and finding not in causes and _root(cause, causes) != finding:
                causes[finding] = cause
    groups: dict[Finding, list[Finding]] = {finding: [] for finding in found if finding not in causes}
    for finding in found:
        if finding in causes:
            groups[_root(finding, causes)].append(finding)
    return groups


def explaining(finding: Finding, found: Iterable[Finding], relation: Relation) -> Finding | None:
    """The finding that this one directly follows from; None if it stands for itself."""
    for beside in relation.get(finding.code, ()):
        for other in found:
            if other.code == beside.code and beside.when(finding, other):
                return other
    return None


def _root(finding: Finding, causes: Mapping[Finding, Finding]) -> Finding:
    while finding in causes:
        finding = causes[finding]
    return finding
