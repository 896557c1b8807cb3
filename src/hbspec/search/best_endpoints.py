"""What a search for the best endpoint finds: endpoints, with what each takes and holds."""

from __future__ import annotations

from math import floor, log
from typing import Any, NamedTuple

from hbspec.analysis import Analysis
from hbspec.analysis.change import Change
from hbspec.diagnostics import route_text
from hbspec.estimators.job.least import End
from hbspec.estimators.serving.cost import Charge
from hbspec.estimators.verdict import Verdict
from hbspec.search.burden import HEADROOM_STEP, Steps, relative_step
from hbspec.search.document import document
from hbspec.search.request import Request
from hbspec.search.written import written
from hbspec.units import Interval


class EndpointBurdens(NamedTuple):
    """What an endpoint takes and holds.

    Attributes:
        hourly: the cost of an hour of its instances, and of those of a baseline, in the currency of the bill.
        latency: seconds of a typical answer while as many requests are served as planned.
        holds: how many requests of `max_model_len` tokens are certain to fit at once, over all instances.
    """

    hourly: Charge
    latency: Interval
    holds: int

    def steps(self, end: End) -> Steps:
        """The steps that endpoints are compared by, as plans of training are (`hbspec.search.burden`)."""
        held = -floor(log(self.holds) / log(1 + HEADROOM_STEP)) if self.holds else 1
        return relative_step(float(getattr(self.hourly, end))), relative_step(getattr(self.latency, end)), held


class RecommendedEndpoint(NamedTuple):
    """An endpoint that may be recommended.

    Attributes:
        change: the settings that make it, with the claims deleted that do not hold for it.
        analysis: the changed spec.
        burdens: what it takes and holds.
        warnings: the codes of warnings about the spec with it.
        claims: the claims that do not hold, or are not certain to hold, for it.
    """

    change: Change
    analysis: Analysis
    burdens: EndpointBurdens
    warnings: tuple[str, ...]
    claims: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """One of the `front` of `hbspec optimize --deployment --format json`."""
        return {
            "changes": {route_text(route): value for route, value in written(self.change).items()},
            "remark": self.change.remark,
            **_figures(self.analysis.serving.verdict, self.burdens),
            "check": {"errors": [], "warnings": list(self.warnings), "claims": list(self.claims)},
        }


class CurrentEndpoint(NamedTuple):
    """The spec's own endpoint; what it takes is None where that is not known."""

    verdict: Verdict
    burdens: EndpointBurdens | None
    errors: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The `current` of `hbspec optimize --deployment --format json`."""
        check = {"errors": list(self.errors), "warnings": list(self.warnings)}
        return {**_figures(self.verdict, self.burdens), "check": check}


class BestEndpoints(NamedTuple):
    """The result of `optimize_endpoint`; the attributes are those of `hbspec.search.optimize.Optimum`."""

    current: CurrentEndpoint
    plans: tuple[RecommendedEndpoint, ...]
    rejected: dict[str, int]
    searched: dict[str, int]
    request: Request
    regions: tuple[str, ...]
    nearest: tuple[str, RecommendedEndpoint] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The document that `hbspec optimize --deployment --format json` prints."""
        return document(
            self.request,
            self.regions,
            self.current.to_dict(),
            [plan.to_dict() for plan in self.plans],
            self.rejected,
            self.searched,
            nearest=self.nearest and {"without": self.nearest[0], **self.nearest[1].to_dict()},
        )


def _figures(verdict: Verdict, burdens: EndpointBurdens | None) -> dict[str, Any]:
    return {
        "memory": {"verdict": verdict, "holds": burdens and burdens.holds},
        "time": burdens and burdens.latency.to_dict(),
        "cost": burdens and burdens.hourly.to_dict(),
    }
