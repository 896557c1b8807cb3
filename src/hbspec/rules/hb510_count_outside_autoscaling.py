"""`deployment.instance.count` is outside the bounds of `autoscaling`.

Why: Application Auto Scaling moves the number of instances into its bounds as soon as it is registered, so the deployed
number, and the cost computed from it, do not last minutes.

Example:

    deployment: {instance: {count: 1}, autoscaling: {min: 2, max: 4}}

Instead:

    deployment: {instance: {count: 2}, autoscaling: {min: 2, max: 4}}

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html
    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING)


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding where `deployment.instance.count` is below `autoscaling.min` or above `autoscaling.max`."""
    section = analysis.spec.deployment
    if section is None or section.autoscaling is None:
        return
    count, bounds = section.instance.count, section.autoscaling
    nearest = min(max(count, bounds.min), bounds.max)
    if nearest != count:
        route = ("deployment", "instance", "count")
        yield RULE.at(
            route,
            f"deployment.instance.count is {count}, but autoscaling keeps {bounds.min} to {bounds.max} instances",
            f"set deployment.instance.count to {nearest}",
            fixes=(Fix(f"set deployment.instance.count to {nearest}", route, nearest),),
        )
