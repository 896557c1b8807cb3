"""A claim that may hold or not: the estimate's interval reaches beyond it.

Why: an interval so wide that it decides nothing is no confirmation. Narrow the interval, or widen the claim to what
is really believed.

Example:

    expect: {training.duration: 20m..25m}

Instead:

    expect: {training.duration: 1m..4h}

References:

    https://github.com/skypilot-org/skypilot/issues/8766
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.claims import UNDECIDED, verify
from hbspec.diagnostics import Confidence, Finding, Severity, known
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Claims that overlap our interval without containing it."""
    for claim in verify(analysis):
        if claim.verdict == UNDECIDED:
            yield RULE.at(
                ("expect", claim.key),
                f"{claim.key} is claimed as {claim.believed}; it is {claim.computed_text}",
                f"it would be decided by {known(claim.quantity, claim.key).decides}",
            )
