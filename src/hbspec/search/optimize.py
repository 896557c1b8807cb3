"""The best plans of a spec, and what they save."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from hbspec.analysis import Analysis
from hbspec.diagnostics import NotKnownError, Severity, route_text
from hbspec.estimators.verdict import Verdict
from hbspec.rules.engine import explained, findings_again, place
from hbspec.search.burden import Burdens, burdens
from hbspec.search.front import Front, Progress, front
from hbspec.search.judging import Recommended
from hbspec.search.request import Request
from hbspec.search.space import Space
from hbspec.search.variants import variants
from hbspec.search.written import written


class Current(NamedTuple):
    """The spec's own plan.

    Attributes:
        verdict: whether it fits on its GPUs.
        burdens: what it takes; None where that is not known.
        errors: the codes of its errors.
        warnings: the codes of its warnings.
    """

    verdict: Verdict
    burdens: Burdens | None
    errors: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The `current` of `hbspec optimize --format json`."""
        return {
            "memory": {"verdict": self.verdict, "headroom": self.burdens and self.burdens.headroom},
            "time": self.burdens and self.burdens.time.total_seconds.to_dict(),
            "cost": self.burdens and self.burdens.cost.amounts(),
            "check": {"errors": list(self.errors), "warnings": list(self.warnings)},
        }


class Optimum(NamedTuple):
    """The result of `optimize`.

    Attributes:
        current: the spec's own plan.
        front: the plans that no other is better than.
        request: what was asked.
        regions: where instances were looked for.
    """

    current: Current
    front: Front
    request: Request
    regions: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The document that `hbspec optimize --format json` prints."""
        rejected = [{"reason": reason, "plans": number} for reason, number in self.front.rejected.items()]
        return {
            "format_version": 1,
            "objective": self.request.objective,
            "confidence": self.request.confidence,
            "regions": list(self.regions),
            "current": self.current.to_dict(),
            "front": [_plan(plan) for plan in self.front.plans],
            "rejected": rejected,
            "searched": dict(self.front.searched),
            "not_known": ["quota", "capacity"],
        }


def optimize(analysis: Analysis, request: Request, progress: Progress = lambda _done, _all: None) -> Optimum:
    """The plans that no other plan is better than in cost, time and headroom.

    Measurements of the job (`calibration`) do not hold for other plans, so all are compared by what is estimated.

    Args:
        analysis: the spec.
        request: what is asked.
        progress: is told how far the search is.

    Raises:
        NotKnownError: the effective batch, the hardware or the counts of the spec are not known.
    """
    estimated = unmeasured(analysis)
    for part in ("effective_batch_size", "hardware", "counts"):
        estimated.plan.require(part)
    space = Space(estimated, request, variants(estimated, request))
    here = analysis.spec.instance.region
    return Optimum(current(estimated), front(space, progress), request, request.regions or ((here,) if here else ()))


def unmeasured(analysis: Analysis) -> Analysis:
    """The spec without measurements of its own plan."""
    return replace(analysis, measurement=None, spec=analysis.spec.model_copy(update={"calibration": None}))


def current(analysis: Analysis) -> Current:
    """The spec's own plan, as far as it is known."""
    try:
        verdict, taken = analysis.memory_verdict, burdens(analysis)
    except NotKnownError:
        verdict, taken = Verdict.UNKNOWN, None
    found, skipped = findings_again(analysis)
    report = place(analysis.document, found, skipped, explained())
    codes: Mapping[Severity, set[str]] = {severity: set() for severity in Severity}
    for entry in report.diagnostics:
        codes[entry.severity].add(entry.code)
    return Current(verdict, taken, tuple(sorted(codes[Severity.ERROR])), tuple(sorted(codes[Severity.WARNING])))


def _plan(plan: Recommended) -> dict[str, Any]:
    """One of the `front` of `hbspec optimize --format json`."""
    fullest = plan.analysis.memory.fullest
    return {
        "changes": {route_text(route): value for route, value in written(plan.change).items()},
        "remark": plan.change.remark,
        "memory": {
            "verdict": plan.analysis.memory_verdict,
            "headroom": plan.burdens.headroom,
            "process_bytes": fullest.to_dict()["process_bytes"],
        },
        "time": plan.burdens.time.total_seconds.to_dict(),
        "cost": plan.burdens.cost.amounts(),
        "check": {"errors": [], "warnings": list(plan.warnings), "claims": list(plan.claims)},
    }
