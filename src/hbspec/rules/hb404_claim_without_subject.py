"""A claim about something that the spec lacks.

Why: without the section that it is about, a claim can be neither computed nor compiled; it only looks checked.

Example:

    data: {train: {examples: null}}
    expect: {training.epochs: 4.4}

Instead:

    data: {train: {examples: 2198}}
    expect: {training.epochs: 4.35}

References:

    https://github.com/deepspeedai/DeepSpeed/issues/3982
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.claims import UNKNOWN, verify
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Claims whose quantity is not known."""
    for claim in verify(analysis):
        if claim.verdict == UNKNOWN:
            yield RULE.at(
                ("expect", claim.key),
                f"{claim.key} is claimed as {claim.believed}, and cannot be computed without {claim.reason}",
                "add what is missing, or delete the claim",
            )
