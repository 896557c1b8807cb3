"""The author's limits on time and money: a spec without them, and the values with which a plan passes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal
from math import ceil

from hbspec.analysis import Analysis
from hbspec.analysis.change import Change, Settings
from hbspec.catalog.limits import DEFAULT_RUNTIME_SECONDS, MAX_RUNTIME_SECONDS
from hbspec.diagnostics import Route
from hbspec.estimators.job.cost import most_it_can_cost
from hbspec.estimators.job.runtime import running_seconds
from hbspec.search.written import duration
from hbspec.units import HOUR, Money

OF_LIMITS = frozenset({"HB301", "HB302", "HB303"})
"""Rules about `max_runtime` and `budget.max_cost`."""

RUNTIME, WAIT, COST = ("instance", "max_runtime"), ("instance", "max_wait"), ("budget", "max_cost")
BOUNDLESS = Decimal(10) ** 12
"""An amount that no job costs."""


def in_the_way(reasons: Iterable[str]) -> bool:
    """Whether a limit of the spec is among the reasons why plans are rejected."""
    return not OF_LIMITS.isdisjoint(reasons)


def without_limits(analysis: Analysis) -> Analysis:
    """The spec with the longest `max_runtime` there is, and a budget that pays for it."""
    spec = analysis.spec
    settings: Settings = {RUNTIME: float(MAX_RUNTIME_SECONDS)}
    if spec.instance.max_wait is not None:
        settings[WAIT] = 2.0 * MAX_RUNTIME_SECONDS
    if spec.budget is not None:
        settings[COST] = Money(BOUNDLESS, spec.budget.max_cost.currency)
    return replace(analysis, spec=Change("limits", settings).applied(spec))


def passing_limits(analysis: Analysis, plan: Analysis) -> Settings:
    """The limits to set, in seconds and money, so that a plan passes; empty where those of the spec do.

    Args:
        analysis: the spec with its limits.
        plan: the changed spec without limits.

    Raises:
        NotKnownError: the price or an exchange rate is not known.
    """
    instance, budget = analysis.spec.instance, analysis.spec.budget
    needed, limit = running_seconds(plan.time).high, float(instance.max_runtime or DEFAULT_RUNTIME_SECONDS)
    shortest = float(ceil(needed / HOUR) * HOUR)
    raised: Settings = {}
    if budget is not None and budget.max_cost.amount < _cost(plan, max(limit, needed)).amount:
        limit = shortest  # no longer than it must be, since the budget pays for all of it
        most = _cost(plan, limit)
        if most.amount > budget.max_cost.amount:
            raised[COST] = Money(most.amount.to_integral_value(ROUND_CEILING), most.currency)
    elif needed > limit:
        limit = shortest
    settings: Settings = {}
    if limit != instance.max_runtime and (instance.max_runtime is not None or limit > DEFAULT_RUNTIME_SECONDS):
        settings[RUNTIME] = limit
        if plan.spec.instance.max_wait is not None:  # a plan may leave spot instances, and the wait for them
            settings[WAIT] = max(float(instance.max_wait or 0), 2 * limit)
    return {**settings, **raised}


def limit_texts(limits: Settings) -> dict[Route, str]:
    """Limits as an author writes them."""
    return {
        route: f"{value.amount} {value.currency}" if isinstance(value, Money) else duration(value)
        for route, value in limits.items()
    }


def _cost(plan: Analysis, limit: float) -> Money:
    return most_it_can_cost(plan.plan._replace(max_runtime=limit))
