"""A claim is undecided: part of the predicted interval lies outside it.

Why: An interval that reaches beyond the claim does not confirm it. Narrow the interval, or widen the claim to what you
really believe.

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
    """Findings for claims that overlap the computed interval without containing it, one for each estimate."""
    undecided = [claim for claim in verify(analysis) if claim.verdict == UNDECIDED]
    for claims in _by_estimate(undecided):
        ranges = {claim.key: claim.computed_range for claim in claims}
        texts = (
            f"{claim.key} is claimed as {claim.believed}, but predicted as {ranges[claim.key]}" for claim in claims
        )
        settings = " and ".join(f"{key} to {range_}" for key, range_ in ranges.items())
        yield RULE.at(
            ("expect", claims[0].key),
            "; ".join(texts),
            f"set {settings}, or narrow the prediction with {known(claims[0].quantity, claims[0].key).decides}",
        )


def _by_estimate(claims: Iterable[Claim]) -> Iterable[list[Claim]]:
    """Groups of claims: about the job's time, about its memory, and each other claim alone."""
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        estimate = "time" if claim.key in TIME else "memory" if claim.key in MEMORY else claim.key
        groups.setdefault(estimate, []).append(claim)
    return groups.values()
