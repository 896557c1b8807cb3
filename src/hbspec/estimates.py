"""Everything that is estimated of one spec, in one value."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any

from hbspec.analysis import Analysis
from hbspec.claims import Claim
from hbspec.claims.sets import parse_claim
from hbspec.diagnostics import NotKnownError
from hbspec.digits import UnitError
from hbspec.estimators.job.cost import Cost
from hbspec.estimators.job.host import Host
from hbspec.estimators.job.storage import Storage
from hbspec.estimators.job.time import Time
from hbspec.estimators.serving.after_training import AfterTraining
from hbspec.estimators.serving.curve import Held, curve_dicts, held_within
from hbspec.estimators.serving.endpoint import Serving
from hbspec.estimators.training.devices import Memory
from hbspec.plan import Assumption, Plan

if TYPE_CHECKING:
    from hbspec.search.advice import Advice
    from hbspec.search.software import Dependence


@dataclass(frozen=True, eq=False)
class Estimates:
    """A job's memory, time and cost, its endpoint, and its evaluation after training.

    A part that cannot be estimated is None, with the reason in `unknown`.

    `advice` and `dependences` plan dozens to hundreds of other specs on first use.
    """

    plan: Plan
    memory: Memory | None
    time: Time | None
    cost: Cost | None
    serving: Serving | None
    claims: tuple[Claim, ...]
    assumed: tuple[Assumption, ...]
    unknown: Mapping[str, str]
    host: Host | None
    storage: Storage | None
    analysis: Analysis = field(repr=False)
    evaluation: AfterTraining | None = None

    @property
    def as_of(self) -> date:
        """The day from which the ages of prices and rates are counted."""
        return self.analysis.as_of

    @cached_property
    def advice(self) -> Advice | None:
        """The cheapest changes that make the job fit, or the best uses of spare memory; None if memory is unknown.

        No change introduces an error, except for claims about the unchanged spec.
        """
        from hbspec.search.advice import advise

        try:
            return advise(self.analysis)
        except NotKnownError:
            return None

    @cached_property
    def dependences(self) -> tuple[Dependence, ...]:
        """The dependence of the memory estimate on the trainer and on library versions."""
        from hbspec.search.software import dependences

        try:
            return dependences(self.analysis)
        except NotKnownError:
            return ()

    def to_dict(self) -> dict[str, Any]:
        """The document that `hbspec estimate --format json` prints."""
        return {
            "format_version": 1,
            "plan": self.plan.to_dict(),
            "calibration": self.plan.measured and self.plan.measured.to_dict(),
            "memory": self.memory.to_dict() if self.memory else {"verdict": "unknown", "devices": []},
            "changes": [outcome.to_dict() for outcome in self.advice.outcomes] if self.advice else [],
            "software": [dependence.to_dict() for dependence in self.dependences],
            "host": {
                "memory": self.host and self.host.to_dict(),
                "disk": self.storage and self.storage.to_dict(),
            },
            "time": self.time and self.time.to_dict(),
            "cost": self.cost and self.cost.to_dict(),
            "serving": self.serving and self._serving_dict(self.serving),
            "evaluation": self.evaluation and self.evaluation.to_dict(),
            "claims": [claim.to_dict() for claim in self.claims],
            "assumed": [
                {"route": list(entry.route), "value": entry.value, "source": entry.source} for entry in self.assumed
            ],
            "unknown": dict(self.unknown),
        }

    def _serving_dict(self, serving: Serving) -> dict[str, Any]:
        plan, within = self.analysis.serving_plan, self.within_latency
        return {**serving.to_dict(), "curve": curve_dicts(plan), "within_latency": within and within.to_dict()}

    @cached_property
    def within_latency(self) -> Held | None:
        """What an instance answers within the latency that `expect` asks for; None where it asks for none."""
        claim = self.analysis.spec.expect.get("deployment.latency")
        if claim is None:
            return None
        with suppress(UnitError, NotKnownError):  # a claim that cannot be read has its own rule
            seconds = parse_claim(claim, "seconds").high
            return held_within(self.analysis.serving_plan, seconds) if isfinite(seconds) else None
        return None
