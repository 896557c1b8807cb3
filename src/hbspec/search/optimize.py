"""The best plans of a spec, and what they save."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from hbspec.analysis import Analysis
from hbspec.analysis.change import Settings
from hbspec.diagnostics import NotKnownError, Severity, route_text
from hbspec.estimators.verdict import Verdict
from hbspec.search.burden import Burdens, burdens
from hbspec.search.document import document
from hbspec.search.front import Front, Progress, front
from hbspec.search.gates import PRICE
from hbspec.search.judging import Recommended, codes_of
from hbspec.search.limits import in_the_way, limit_texts, passing_limits, without_limits
from hbspec.search.request import ALLOWED, Request
from hbspec.search.space import Space
from hbspec.search.variants import variants
from hbspec.search.written import written
from hbspec.spec import Spec

OF_PLANS = frozenset({"HB625", "HB626", "HB642", "HB644", "HB646", "HB647", "HB655"})
"""Rules about names and places whose errors may follow from the instances or their region."""

OF_NO_PLAN = frozenset({"HB215", "HB220", "HB233", "HB239", "HB275"})
"""Rules about trainings whose errors follow from the model, the data and keys that no search changes alone."""

REGIONS_NAMED = 3
"""Regions that are named where those of the request have no prices."""


class Current(NamedTuple):
    """The spec's own plan.

    Attributes:
        verdict: whether it fits on its GPUs.
        burdens: what it takes; None where that is not known.
        errors: the codes of its errors.
        warnings: the codes of its warnings.
        may_be_stopped: whether `max_runtime` may stop it before the end that its burdens run to.
    """

    verdict: Verdict
    burdens: Burdens | None
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    may_be_stopped: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The `current` of `hbspec optimize --format json`."""
        return {
            "memory": {"verdict": self.verdict, "headroom": self.burdens and self.burdens.headroom},
            "time": self.burdens and self.burdens.time.total_seconds.to_dict(),
            "cost": self.burdens and self.burdens.cost.amounts(),
            "may_be_stopped": self.may_be_stopped,
            "check": {"errors": list(self.errors), "warnings": list(self.warnings)},
        }


class Nearest(NamedTuple):
    """The best plan under fewer conditions, where none meets all.

    Attributes:
        without: the conditions that it does not meet, in words.
        plan: the plan.
        written: the spec with the limits of its author.
        limits: the limits to set, so that the plan passes: seconds and money by route.
    """

    without: str
    plan: Recommended
    written: Spec
    limits: Settings = {}  # noqa: RUF012 - never changed

    def to_dict(self) -> dict[str, Any]:
        """The `nearest` of `hbspec optimize --format json`."""
        limits = {route_text(route): text for route, text in limit_texts(self.limits).items()}
        return {"without": self.without, **_plan(self.plan), "limits": limits}


class Optimum(NamedTuple):
    """The result of `optimize`.

    Attributes:
        current: the spec's own plan.
        front: the plans that no other is better than.
        request: what was asked.
        regions: where instances were looked for.
        nearest: what would do where the front is empty; None where nothing that was tried does.
        priced: where the front is empty and no price is known in `regions`, the regions nearest to them that have some.
    """

    current: Current
    front: Front
    request: Request
    regions: tuple[str, ...]
    nearest: Nearest | None = None
    priced: tuple[str, ...] = ()

    @property
    def plans(self) -> tuple[Recommended, ...]:
        """The plans of the front."""
        return self.front.plans

    def to_dict(self) -> dict[str, Any]:
        """The document that `hbspec optimize --format json` prints."""
        return document(
            self.request,
            self.regions,
            self.current.to_dict(),
            [_plan(plan) for plan in self.front.plans],
            self.front.rejected,
            self.front.searched,
            nearest=self.nearest and self.nearest.to_dict(),
            regions_with_prices=list(self.priced),
        )


def optimize(analysis: Analysis, request: Request, progress: Progress = lambda _done, _all: None) -> Optimum:
    """The plans that no other plan is better than in cost, time and headroom.

    Measurements of the job (`calibration`) do not hold for other plans, so all are compared by what is estimated.

    Args:
        analysis: the spec.
        request: what is asked.
        progress: is told how far the search is.

    Raises:
        NotKnownError: the effective batch, the hardware or the counts of the spec are not known.
        ValueError: `max_cost` is in another currency than the bill.
    """
    estimated = unmeasured(analysis)
    for part in ("effective_batch_size", "hardware", "counts"):
        estimated.plan.require(part)
    here, now = analysis.spec.instance.region, current(estimated)
    regions = request.regions or ((here,) if here else ())
    if request.max_cost and now.burdens and request.max_cost.currency != now.burdens.cost.currency:
        raise ValueError(f"the bill is in {now.burdens.cost.currency}, not in {request.max_cost.currency}")
    fixed = [code for code in now.errors if is_of_no_plan(code)]
    space = Space(estimated, request, variants(estimated, request))
    if fixed:
        plans = space.plans()
        counted = {"plans": plans, "estimated": 0, "judged": 0}
        return Optimum(now, Front((), {fixed[0]: plans}, counted), request, regions)
    found = front(space, progress)
    if set(found.rejected) == {PRICE}:
        return Optimum(now, found, request, regions, priced=_priced(estimated, regions))
    nearest = None if found.plans else _nearest(estimated, request, progress, found.rejected)
    return Optimum(now, found, request, regions, nearest)


def _priced(analysis: Analysis, regions: tuple[str, ...]) -> tuple[str, ...]:
    """The regions nearest by name to those without prices that have the price of an instance with a GPU."""
    catalog = analysis.catalog
    types = [row.name for row in catalog.instances.values() if row.gpus and row.training]
    found = [one for one in catalog.regions if any(catalog.price(name, one, "training") for name in types)]
    areas = {region.rpartition("-")[0] for region in regions}  # `ap-southeast-1` is beside `ap-southeast-2`
    continents = {region.partition("-")[0] for region in regions}
    near = {one: (one.rpartition("-")[0] in areas) + (one.partition("-")[0] in continents) for one in found}
    return tuple(sorted(found, key=lambda one: (-near[one], one))[:REGIONS_NAMED])


def is_of_no_plan(code: str) -> bool:
    """Whether the errors of a rule are the same under every plan: most are about names, places and texts.

    >>> is_of_no_plan("HB601"), is_of_no_plan("HB109"), is_of_no_plan("max_cost")
    (True, False, False)
    """
    return code in OF_NO_PLAN or (code.startswith("HB") and code >= "HB600" and code not in OF_PLANS)


def _nearest(analysis: Analysis, request: Request, progress: Progress, rejected: Mapping[str, int]) -> Nearest | None:
    """The best plan without the limits, or else without the keys that are kept, or else tight, or training otherwise.

    The limits of the request come first, then those of the spec where they reject a plan. By its high ends, since
    limits are compared with these.
    """
    unlimited = request._replace(max_cost=None, max_seconds=None, confidence="certain")
    free = unlimited._replace(keep=frozenset())
    tight = free._replace(allow=request.allow | {"tight"})
    otherwise = free._replace(allow=frozenset(ALLOWED) - {"tight"})
    ways = {
        "--max-cost and --max-time": (analysis, unlimited),
        **({"the spec's limits": (without_limits(analysis), unlimited)} if in_the_way(rejected) else {}),
        "these and --keep": (analysis, free),
        "being certain to fit": (analysis, tight),
        "training the same": (analysis, otherwise),
    }
    for without, (easier, asked) in ways.items():
        if easier is not analysis or asked != request:
            found = front(Space(easier, asked, variants(easier, asked)), progress)
            if found.plans:
                plan = found.plans[0]
                return Nearest(without, plan, analysis.spec, passing_limits(analysis, plan.analysis))
    return None


def unmeasured(analysis: Analysis) -> Analysis:
    """The spec without measurements of its own plan."""
    return replace(analysis, measurement=None, spec=analysis.spec.model_copy(update={"calibration": None}))


def current(analysis: Analysis) -> Current:
    """The spec's own plan, as far as it is known."""
    try:
        verdict, taken = analysis.memory_verdict, burdens(analysis)
    except NotKnownError:
        verdict, taken = Verdict.UNKNOWN, None
    codes = codes_of(analysis)
    stopped = taken is not None and analysis.time.may_be_stopped
    return Current(verdict, taken, codes[Severity.ERROR], codes[Severity.WARNING], stopped)


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
