"""The regular expression of a metric cannot capture a value.

Why: SageMaker searches the log with it and takes the number that its group captures. Without a group, or if it does not
compile, the metric stays empty for the whole job.

Example:

    monitoring: {metrics: [{name: loss, regex: "loss=[0-9.]+"}]}

Instead:

    monitoring: {metrics: [{name: loss, regex: "loss=([0-9.]+)"}]}

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/define-train-metrics.html
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_MetricDefinition.html
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for expressions that do not compile or have no group; they are never run, so a slow one does no harm."""
    monitoring = analysis.spec.monitoring
    for index, metric in enumerate(monitoring.metrics if monitoring else ()):
        wrong = _wrong(metric.regex)
        if wrong:
            yield RULE.at(
                ("monitoring", "metrics", index, "regex"),
                f"the regex of metric {metric.name!r} {wrong}",
                "put a group around the number, as in `loss=([0-9.]+)`",
            )


def _wrong(expression: str) -> str:
    try:
        with warnings.catch_warnings(action="ignore"):
            groups = re.compile(expression).groups
    except (re.error, RecursionError, OverflowError) as reason:
        return f"does not compile: {reason}"
    return "" if groups else "captures nothing: it has no (group)"
