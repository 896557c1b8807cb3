"""One cause, one finding: a finding that another one explains is named with it instead of being reported.

A rule declares the rules that explain it (`Rule.beside`). The relation holds where mending what the first finding says
removes the second, or where the second is computed from the very value that the first calls wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Beside:
    """Findings of `code` explain this rule's, where `when` holds of this rule's finding and the other."""

    code: str
    when: Callable[[Finding, Finding], bool] = always


Relation = Mapping[str, tuple[Beside, ...]]
"""By code, the rules that explain it. A test holds it free of cycles."""


def gathered(findings: Iterable[Finding], relation: Relation) -> dict[Finding, list[Finding]]:
    """The findings that no other explains, each with those that follow from it, directly or in turn."""
    found = list(dict.fromkeys(findings))
    groups: dict[Finding, list[Finding]] = {}
    for finding in found:
        root = _root(finding, found, relation)
        groups.setdefault(root, [])
        if root != finding:
            groups[root].append(finding)
    return groups


def explaining(finding: Finding, found: Iterable[Finding], relation: Relation) -> Finding | None:
    """The finding that this one directly follows from; None if it stands for itself."""
    for beside in relation.get(finding.code, ()):
        for other in found:
            if other.code == beside.code and beside.when(finding, other):
                return other
    return None


def _root(finding: Finding, found: list[Finding], relation: Relation) -> Finding:
    while cause := explaining(finding, found, relation):
        finding = cause
    return finding
