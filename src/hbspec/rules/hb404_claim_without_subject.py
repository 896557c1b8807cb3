"""A claim needs an input that the spec lacks.

Why: Without its inputs a claim cannot be computed; it only looks checked.

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
from hbspec.claims import UNKNOWN, Claim, verify
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.causes import Beside, at_its_cause
from hbspec.rules.rule import Rule

WRONG_IN_ITSELF = (
    *("HB030", "HB031", "HB032", "HB118"),
    *("HB112", "HB117", "HB119", "HB121", "HB124", "HB107", "HB504", "HB506"),
    *("HB204", "HB214"),
    *("HB113", "HB122", "HB306", "HB310", "HB507", "HB610"),
)
"""Rules that reject an input itself: files and models, hardware, hyperparameters, prices and facts."""
RULE = Rule(__name__, Severity.ERROR, beside=tuple(Beside(code, at_its_cause) for code in WRONG_IN_ITSELF))


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for claims that cannot be computed, one for each missing input."""
    lacking: dict[str, list[Claim]] = {}
    for claim in verify(analysis):
        if claim.verdict == UNKNOWN:
            lacking.setdefault(claim.reason, []).append(claim)
    for reason, (first, *others) in lacking.items():
        yield RULE.at(
            ("expect", first.key),
            f"{first.key} is claimed as {first.believed}, but cannot be computed without {reason}"
            + (f"; nor can {', '.join(claim.key for claim in others)}" if others else ""),
            f"give what is missing, or delete the claim{'s' if others else ''} under expect",
            cause=first.cause,
        )
