"""The job would be stopped before it is done.

Why: SageMaker ends a job at `max_runtime` (24 hours where none is given), whatever it has reached; what was not saved
until then is lost, and all of it is paid for. A spot job also ends at `max_wait`, which covers waiting, running and
what interruptions repeat.

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

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from hbspec.analysis import Analysis
from hbspec.catalog.limits import DEFAULT_RUNTIME_SECONDS
from hbspec.diagnostics import Confidence, Finding, Fix, Route, Severity
from hbspec.estimators.runtime import running_seconds
from hbspec.estimators.time import runtime_limit
from hbspec.rules.causes import Beside, undecided_beside_an_error
from hbspec.rules.rule import Rule
from hbspec.units import HOUR, Interval, interval_text, seconds_text

RULE = Rule(__name__, Severity.ERROR, Confidence.LIKELY, (Beside("HB109", undecided_beside_an_error),))


def check(analysis: Analysis) -> Iterator[Finding]:
    """Limits that the predicted time passes for certain (error) or may pass (warning); of two the one passed surely."""
    passed = [limit for limit in _limits(analysis) if limit.takes.high > limit.seconds]
    if not passed:
        return
    first = next((limit for limit in passed if limit.certain), passed[0])
    yield RULE.at(
        first.route,
        f"{first.key} is {seconds_text(first.seconds)}, {first.said} {interval_text(first.takes, seconds_text)}",
        "raise " + " and ".join(f"{limit.key} to {limit.enough}" for limit in passed),
        severity=Severity.ERROR if first.certain else Severity.WARNING,
        fixes=tuple(Fix(f"raise {limit.key} to {limit.enough}", limit.route, limit.enough) for limit in passed),
    )


@dataclass(frozen=True, slots=True)
class _Limit:
    """One limit in seconds, and the time that it is compared with."""

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
    def enough(self) -> str:
        return f"{ceil(self.takes.high / HOUR)}h"


def _limits(analysis: Analysis) -> Iterator[_Limit]:
    instance = analysis.spec.instance
    limit = instance.max_runtime or runtime_limit(analysis.plan)
    if limit is not None:
        said = "the job takes" if instance.max_runtime else "which is the default, the job takes"
        yield _Limit("max_runtime", limit, running_seconds(analysis.time), said)
    runtime = instance.max_runtime or DEFAULT_RUNTIME_SECONDS
    if instance.spot and instance.max_wait is not None and instance.max_wait >= runtime:  # below it is HB315's
        yield _Limit("max_wait", instance.max_wait, analysis.time.total_seconds, "waiting and running take")
