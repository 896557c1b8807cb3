"""`monitoring.step_time.max` is not below the time limit of the job.

Why: An alarm on a step that may take as long as the job never fires: the job is stopped at `max_runtime` first, and a
hanging step costs the whole limit.

Example:

    monitoring: {step_time: {max: 4h}}

Instead:

    monitoring: {step_time: {max: 5m}}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StoppingCondition.html
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.causes import Beside
from hbspec.rules.rule import Rule
from hbspec.units import seconds_text

RULE = Rule(__name__, Severity.WARNING, beside=(Beside("HB301"),))


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the longest allowed step with `max_runtime`; a limit that is too short for the job is the cause."""
    watched = analysis.spec.monitoring and analysis.spec.monitoring.step_time
    limit = analysis.spec.instance.max_runtime
    if watched and watched.max is not None and limit is not None and watched.max >= limit:
        yield RULE.at(
            ("monitoring", "step_time", "max"),
            f"monitoring.step_time.max ({seconds_text(watched.max)}) is not below max_runtime ({seconds_text(limit)}): "
            "the alarm never fires",
            "set monitoring.step_time.max to a few times the predicted step time",
        )
