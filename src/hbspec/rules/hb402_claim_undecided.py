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

from collections.abc import Iterable, Iterator

from hbspec.analysis import Analysis
from hbspec.claims import UNDECIDED, Claim, verify
from hbspec.claims.quantities import MEMORY, TIME
from hbspec.diagnostics import Confidence, Finding, Severity, known
from hbspec.rules.causes import Beside, both_undecided, undecided_beside_an_error
from hbspec.rules.rule import Rule


def _of_memory(own: Finding, _other: Finding) -> bool:
    return own.route[-1] in MEMORY


def _of_time(own: Finding, other: Finding) -> bool:
    return own.route[-1] in TIME and both_undecided(own, other)


def _of_the_job(own: Finding, other: Finding) -> bool:
    return _of_memory(own, other) or (own.route[-1] in TIME and undecided_beside_an_error(own, other))


RULE = Rule(
    __name__,
    Severity.WARNING,
    Confidence.LIKELY,
    (Beside("HB109", _of_the_job), Beside("HB301", _of_time), Beside("HB303", _of_time)),
)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Claims that overlap our interval without containing it; claims of one estimate are one finding."""
    undecided = [claim for claim in verify(analysis) if claim.verdict == UNDECIDED]
    for claims in _by_estimate(undecided):
        yield RULE.at(
            ("expect", claims[0].key),
            "; ".join(f"{claim.key} is claimed as {claim.believed}; it is {claim.computed_text}" for claim in claims),
            f"it would be decided by {known(claims[0].quantity, claims[0].key).decides}",
        )


def _by_estimate(claims: Iterable[Claim]) -> Iterable[list[Claim]]:
    """Claims of the job's time together, claims of its memory together, every other on its own."""
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        estimate = "time" if claim.key in TIME else "memory" if claim.key in MEMORY else claim.key
        groups.setdefault(estimate, []).append(claim)
    return groups.values()
