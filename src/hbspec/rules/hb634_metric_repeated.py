"""Two metrics have the same name.

Why: A job sends each metric under its name: of two expressions under one name the first is lost, and nothing says so.

Example:

    monitoring:
      metrics:
        - {name: rouge, regex: "epoch=([0-9.]+)"}
        - {name: rouge, regex: "eval_loss=([0-9.]+)"}

Instead:

    monitoring:
      metrics:
        - {name: rouge1, regex: "epoch=([0-9.]+)"}
        - {name: rouge2, regex: "eval_loss=([0-9.]+)"}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_MetricDefinition.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for metrics that have the name of an earlier one."""
    monitoring = analysis.spec.monitoring
    first: dict[str, int] = {}
    for index, metric in enumerate(monitoring.metrics if monitoring else ()):
        earlier = first.setdefault(metric.name, index)
        if earlier != index:
            yield RULE.at(
                ("monitoring", "metrics", index, "name"),
                f"monitoring.metrics[{earlier}] is also named {metric.name!r}",
                "rename this metric, or delete one of the two",
            )
