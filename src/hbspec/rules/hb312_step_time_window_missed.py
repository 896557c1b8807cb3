"""The step time that monitoring calls normal is one that the job never has.

Why: an alarm that always rings is switched off, and one that never rings watches nothing.

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
from hbspec.units import interval_text, seconds_text

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY)


def check(analysis: Analysis) -> Iterator[Finding]:
    """`monitoring.step_time` and the predicted step have no time in common."""
    monitoring = analysis.spec.monitoring
    if monitoring is None or monitoring.step_time is None:
        return
    low, high = monitoring.step_time.min or 0.0, monitoring.step_time.max or inf
    step = analysis.time.step_seconds
    if step.high < low or high < step.low:
        side = f"min is {seconds_text(low)}" if step.high < low else f"max is {seconds_text(high)}"
        yield RULE.at(
            ("monitoring", "step_time"),
            f"step_time's {side}, a step takes {interval_text(step, seconds_text)}",
            "set the window around the predicted step",
        )
