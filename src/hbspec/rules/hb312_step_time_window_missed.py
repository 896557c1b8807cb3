"""The predicted step time is outside `monitoring.step_time`, or every step time is.

Why: An alarm that always fires is switched off, and an alarm that never fires watches nothing.

Example:

    monitoring: {step_time: {min: 30m, max: 60m}}

Instead:

    monitoring: {step_time: {max: 30m}}

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/define-train-metrics.html
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.rules.rule import Rule
from hbspec.units import interval_text, seconds_text, significant

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY)


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding where no step time is inside `monitoring.step_time`, or where the predicted one lies wholly outside."""
    monitoring = analysis.spec.monitoring
    if monitoring is None or monitoring.step_time is None:
        return
    low, high = monitoring.step_time.min or 0.0, monitoring.step_time.max or inf
    if low >= high:
        said = f"monitoring.step_time.min ({seconds_text(low)}) is not below its max ({seconds_text(high)})"
        yield RULE.at(("monitoring", "step_time"), said, "set min below max", confidence=Confidence.CERTAIN)
        return
    step = analysis.time.step_seconds
    if step.high < low or high < step.low:
        if step.high < low:
            limit = f"below monitoring.step_time.min ({seconds_text(low)})"
        else:
            limit = f"above monitoring.step_time.max ({seconds_text(high)})"
        yield RULE.at(
            ("monitoring", "step_time"),
            f"steps are predicted to take {interval_text(step, seconds_text)}, {limit}",
            f"set monitoring.step_time to {{min: {_written(step.low)}, max: {_written(step.high)}}}",
        )


def _written(seconds: float) -> str:
    """Seconds as a spec writes them, to three digits."""
    return f"{significant(seconds).replace(',', '')}s"
