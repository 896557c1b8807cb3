"""The claims of a spec (`expect`) that a changed spec makes untrue, or leaves undecided where they were confirmed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from hbspec.analysis import Analysis
from hbspec.analysis.change import Change, Settings
from hbspec.claims import CONFIRMED, CONTRADICTED, UNDECIDED, verify

TRAINING = ("plan", "memory", "memory_verdict", "host", "storage", "time", "cost")
SERVING = ("serving_plan", "serving", "evaluation")


class ClaimsGivenUp:
    """Deletes the claims that do not hold for a changed spec.

    Args:
        analysis: the unchanged spec.
    """

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis

    @cached_property
    def _confirmed(self) -> frozenset[str]:
        return frozenset(claim.key for claim in verify(self._analysis) if claim.verdict == CONFIRMED)

    def without(self, changed: Analysis) -> tuple[Analysis, tuple[str, ...]]:
        """The changed spec without the claims that do not hold for it, and these."""
        claims = tuple(self._given_up(changed))
        deleted: Settings = {("expect", claim): None for claim in claims}
        found = replace(changed, spec=Change("claims", deleted).applied(changed.spec))
        share(known_of(changed, (*TRAINING, *SERVING)), found)
        return found, claims

    def _given_up(self, changed: Analysis) -> Iterator[str]:
        for claim in verify(changed):
            if claim.verdict == CONTRADICTED or (claim.verdict == UNDECIDED and claim.key in self._confirmed):
                yield claim.key


def known_of(analysis: Analysis, names: tuple[str, ...]) -> Mapping[str, Any]:
    """Those parts of an analysis that are calculated already."""
    return {name: part for name, part in vars(analysis).items() if name in names}


def share(parts: Mapping[str, Any], analysis: Analysis) -> None:
    """Give parts to the analysis of a spec that does not change them."""
    vars(analysis).update(parts)
