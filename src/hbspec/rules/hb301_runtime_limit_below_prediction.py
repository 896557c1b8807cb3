"""The job would be stopped before it is done.

Why: SageMaker ends a job at `max_runtime`, whatever it has reached; what was not saved until then is lost, and all of
it is paid for. A spot job also ends at `max_wait`, which covers waiting, running and what interruptions repeat.

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
from math import ceil

from hbspec.analysis import Analysis
from hbspec.catalog.limits import DEFAULT_RUNTIME_SECONDS
from hbspec.diagnostics import Confidence, Finding, Fix, Severity
from hbspec.estimators.runtime import running_seconds
from hbspec.rules.rule import Rule
from hbspec.units import HOUR, Interval, interval_text, seconds_text

RULE = Rule(__name__, Severity.ERROR, Confidence.LIKELY)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Limits that the predicted time passes for certain (error) or may pass (warning)."""
    instance = analysis.spec.instance
    if instance.max_runtime is not None:
        running = running_seconds(analysis.time)
        yield from _judge("max_runtime", instance.max_runtime, running, "the job takes")
    runtime = instance.max_runtime or DEFAULT_RUNTIME_SECONDS
    if instance.spot and instance.max_wait is not None and instance.max_wait >= runtime:  # below it is HB315's
        waiting = analysis.time.total_seconds
        yield from _judge("max_wait", instance.max_wait, waiting, "waiting and running take")


def _judge(key: str, limit: float, takes: Interval, said: str) -> Iterator[Finding]:
    if takes.high <= limit:
        return
    route, enough = ("instance", key), f"{ceil(takes.high / HOUR)}h"
    yield RULE.at(
        route,
        f"{key} is {seconds_text(limit)}, {said} {interval_text(takes, seconds_text)}",
        f"raise {key} to {enough}",
        severity=Severity.ERROR if takes.low > limit else Severity.WARNING,
        fixes=(Fix(f"raise it to {enough}", route, enough),),
    )
