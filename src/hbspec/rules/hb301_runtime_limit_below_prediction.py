"""`max_runtime` or `max_wait` is shorter than the predicted duration.

Why: SageMaker stops a job at `max_runtime` (24 hours by default), however far it has come. Work since the last
checkpoint is lost, and all of the time is billed. A spot job also stops at `max_wait`, which covers waiting, running
and repeating work after interruptions.

Example:

    instance: {max_runtime: 15m}

Instead:

    instance: {max_runtime: 4h}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StoppingCondition.html
    https://github.com/Boise-State-Development/agentcore-public-stack/pull/1024
    https://github.com/apache/airflow/pull/33942
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import ROUND_CEILING
from math import ceil
from typing import NamedTuple

from hbspec.analysis import Analysis
from hbspec.catalog.limits import DEFAULT_RUNTIME_SECONDS
from hbspec.diagnostics import Confidence, Finding, Fix, NotKnownError, Route, Severity
from hbspec.estimators.job.cost import affordable_seconds, most_it_can_cost
from hbspec.estimators.job.runtime import running_seconds
from hbspec.estimators.job.time import runtime_limit
from hbspec.rules.causes import Beside, undecided_beside_an_error
from hbspec.rules.rule import Rule
from hbspec.units import HOUR, Interval, Money, interval_text, seconds_text

RULE = Rule(__name__, Severity.ERROR, Confidence.LIKELY, (Beside("HB109", undecided_beside_an_error),))


def check(analysis: Analysis) -> Iterator[Finding]:
    """One finding where the prediction exceeds a limit: an error if even its low end does, a warning otherwise."""
    passed = [limit for limit in _limits(analysis) if limit.takes.high > limit.seconds]
    if not passed:
        return
    action, fixes = _action(analysis, passed)
    first = next((limit for limit in passed if limit.certain), passed[0])
    yield RULE.at(
        first.route,
        f"{first.key} is {seconds_text(first.seconds)}{first.said} {interval_text(first.takes, seconds_text)}",
        action,
        severity=Severity.ERROR if first.certain else Severity.WARNING,
        fixes=fixes,
    )


def _action(analysis: Analysis, passed: Sequence[_Limit]) -> tuple[str, tuple[Fix, ...]]:
    """The help and its fixes: raise the limits, and the budget too where it does not pay for them (HB302)."""
    raised = " and ".join(f"{limit.key} to {limit.enough}" for limit in passed)
    runtime = next((limit.needed for limit in passed if limit.key == "max_runtime"), 0)
    if runtime and (cost := _above_the_budget(analysis, runtime)):
        return f"train less, or raise {raised} and budget.max_cost to {cost}", ()
    fixes = (Fix(f"raise {limit.key} to {limit.enough}", limit.route, limit.enough) for limit in passed)
    return f"raise {raised}", tuple(fixes)


def _above_the_budget(analysis: Analysis, seconds: int) -> Money | None:
    """The most that a job with this limit can cost, in whole units; None if the budget pays for it."""
    budget = analysis.spec.budget
    try:
        if budget is None or seconds <= affordable_seconds(analysis.plan, budget.max_cost):
            return None
        cost = most_it_can_cost(analysis.plan._replace(max_runtime=seconds))
    except NotKnownError:
        return None
    return replace(cost, amount=cost.amount.to_integral_value(ROUND_CEILING))


class _Limit(NamedTuple):
    """A limit in seconds, the predicted time in seconds, and the words of the message between the two."""

    key: str
    seconds: float
    takes: Interval
    said: str

    @property
    def route(self) -> Route:
        return ("instance", self.key)

    @property
    def certain(self) -> bool:
        return self.takes.low > self.seconds

    @property
    def needed(self) -> int:
        """The high end of the prediction in seconds, rounded up to whole hours."""
        return ceil(self.takes.high / HOUR) * int(HOUR)

    @property
    def enough(self) -> str:
        return f"{self.needed // int(HOUR)}h"


def _limits(analysis: Analysis) -> Iterator[_Limit]:
    instance = analysis.spec.instance
    limit = instance.max_runtime or runtime_limit(analysis.plan)
    if limit is not None:
        default = "" if instance.max_runtime else " by default"
        said = f"{default}, but the job is predicted to take"
        yield _Limit("max_runtime", limit, running_seconds(analysis.time), said)
    runtime = instance.max_runtime or DEFAULT_RUNTIME_SECONDS
    if instance.spot and instance.max_wait is not None and instance.max_wait >= runtime:  # below it is HB315's
        said = ", but waiting and running are predicted to take"
        yield _Limit("max_wait", instance.max_wait, analysis.time.total_seconds, said)
