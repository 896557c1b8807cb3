"""The job would be stopped before it is done.

Why: SageMaker ends a job at `max_runtime`, whatever it has reached; what was not saved until then is lost, and all of
it is paid for.

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
from hbspec.diagnostics import Confidence, Finding, Fix, Severity
from hbspec.rules.rule import Rule
from hbspec.units import HOUR, interval_text, seconds_text

RULE = Rule(__name__, Severity.ERROR, Confidence.LIKELY)


def check(analysis: Analysis) -> Iterator[Finding]:
    """A limit that the predicted time passes for certain (error) or may pass (warning)."""
    limit = analysis.spec.instance.max_runtime
    if limit is None:
        return
    total = analysis.time.total_seconds
    if total.high <= limit:
        return
    route, enough = ("instance", "max_runtime"), f"{ceil(total.high / HOUR)}h"
    yield RULE.at(
        route,
        f"max_runtime is {seconds_text(limit)}, the job takes {interval_text(total, seconds_text)}",
        f"raise max_runtime to {enough}",
        severity=Severity.ERROR if total.low > limit else Severity.WARNING,
        fixes=(Fix(f"raise it to {enough}", route, enough),),
    )
