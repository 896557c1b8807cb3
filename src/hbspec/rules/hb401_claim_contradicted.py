"""A claim contradicts what the spec implies.

Why: A plan is approved on its claims. A claim that arithmetic, the catalog or the estimate rules out is a mistake in
the plan or in the spec.

Example:

    expect: {training.effective_batch_size: 256}

Instead:

    expect: {training.effective_batch_size: 32}

References:

    https://github.com/deepspeedai/DeepSpeed/issues/3982
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.claims import CONTRADICTED, Claim, verify
from hbspec.claims.quantities import MEMORY, TIME
from hbspec.diagnostics import Confidence, Finding, Route, Severity, known
from hbspec.rules.causes import Beside, at_its_cause
from hbspec.rules.rule import Rule


def _of_memory_that_is_not_there(own: Finding, other: Finding) -> bool:
    return own.route[-1] in MEMORY and other.severity is Severity.ERROR


def _beyond_the_same_prediction(own: Finding, other: Finding) -> bool:
    return at_its_cause(own, other) and other.severity is Severity.ERROR


RULE = Rule(
    __name__,
    Severity.ERROR,
    beside=(
        Beside("HB109", _of_memory_that_is_not_there),
        Beside("HB301", _beyond_the_same_prediction),
    ),
)
LIMIT: Route = ("instance", "max_runtime")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for claims whose range does not overlap the computed interval."""
    for claim in verify(analysis):
        if claim.verdict == CONTRADICTED:
            exact = known(claim.computed, claim.key).is_exact
            formula = known(claim.quantity, claim.key).formula
            yield RULE.at(
                ("expect", claim.key),
                f"{claim.key} is claimed as {claim.believed}, but is {claim.computed_text} ({formula}: {claim.inputs})",
                "correct the claim, or change the settings it depends on",
                confidence=Confidence.CERTAIN if exact else Confidence.LIKELY,
                cause=_cause(claim),
            )


def _cause(claim: Claim) -> Route | None:
    """`max_runtime` where the prediction exceeds a claim about time: it may exceed that limit too."""
    return LIMIT if claim.key in TIME and claim.exceeded else None
