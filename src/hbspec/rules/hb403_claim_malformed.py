"""The claimed quantity does not exist, or its value cannot be read.

Why: A claim that is not understood is not checked, and a claim that is not checked is believed.

Example:

    expect: {training.epoch: 4.4}

Instead:

    expect: {training.epochs: 4.35}

References:

    https://yaml.org/spec/1.2.2/
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.claims import MALFORMED, verify
from hbspec.claims.quantities import QUANTITIES
from hbspec.diagnostics import Finding, Fix, Renamed, Severity
from hbspec.rules.rule import Rule
from hbspec.spelling import nearest, typo_of

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for claims whose key is not a quantity, or whose value cannot be read."""
    for claim in verify(analysis):
        if claim.verdict == MALFORMED:
            near = nearest(claim.key, QUANTITIES)
            action = f"did you mean {near}?" if near and claim.quantity is None else "write it as the message says"
            if claim.quantity is None and not near:
                action = f"claim one of {', '.join(QUANTITIES)}, price.TYPE.REGION"
            route = ("expect", claim.key)
            certain = typo_of(claim.key, QUANTITIES) if claim.quantity is None else None
            free = certain is not None and certain not in analysis.spec.expect
            fixes = (Fix(f"rename it to {certain}", route, Renamed(certain)),) if certain and free else ()
            yield RULE.at(route, f"{claim.key}: {claim.reason}", action, fixes=fixes)
