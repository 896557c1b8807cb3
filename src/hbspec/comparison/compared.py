"""Specs beside one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hbspec.comparison.fairness import letter, unfair
from hbspec.comparison.figures import Figure, figures
from hbspec.comparison.recommendation import Recommendation, recommend
from hbspec.diagnostics import Report, Severity
from hbspec.rules.judge import judge

if TYPE_CHECKING:
    from hbspec.api import Estimates


@dataclass(frozen=True, eq=False)
class Compared:
    """Specs beside one another, in the order in which they were named.

    Attributes:
        files: the name of each.
        estimates: the estimates of each.
        reports: the findings of each.
        figures: the figures of all.
        unfair: what makes the comparison unfair, one sentence each.
        recommendation: which to take.
    """

    files: tuple[str, ...]
    estimates: tuple[Estimates, ...]
    reports: tuple[Report, ...]
    figures: tuple[Figure, ...]
    unfair: tuple[str, ...]
    recommendation: Recommendation

    def to_dict(self) -> dict[str, Any]:
        """The document that `hbspec compare --format json` prints."""
        each = zip(self.files, self.estimates, self.reports, strict=True)
        return {
            "format_version": 1,
            "specs": [_spec(number, *one) for number, one in enumerate(each)],
            "recommendation": self.recommendation.to_dict(),
            "unfair": list(self.unfair),
            "figures": [figure.to_dict() for figure in self.figures],
        }


def compare(files: Sequence[str], estimates: Sequence[Estimates]) -> Compared:
    """The comparison of at least one spec.

    Args:
        files: the name of each spec.
        estimates: its estimates.
    """
    reports = tuple(judge(found.analysis) for found in estimates)
    shown, differing = tuple(figures(estimates)), unfair(estimates)
    return Compared(tuple(files), tuple(estimates), reports, shown, differing, recommend(estimates, reports))


def _spec(number: int, file: str, found: Estimates, report: Report) -> dict[str, Any]:
    return {
        "letter": letter(number),
        "file": file,
        "name": found.plan.name,
        "model": found.plan.model,
        "hardware": found.plan.hardware and found.plan.hardware.name,
        "verdict": found.memory.verdict if found.memory else "unknown",
        "endpoint_verdict": found.serving and found.serving.verdict,
        "findings": {f"{severity.value}s": report.count(severity) for severity in Severity},
        "unknown": dict(found.unknown),
    }
