"""Autoscaling may leave no instance of an endpoint whose requests cannot wait.

Why: The variant of a real-time endpoint keeps at least one instance; Application Auto Scaling refuses less. Requests to
an asynchronous endpoint wait in a queue, so that it may have none while nothing is asked: the first request starts one,
which takes minutes.

Example:

    deployment: {autoscaling: {min: 0, max: 2}}

Instead:

    deployment: {autoscaling: {min: 0, max: 2}, async_inference: {output: "s3://bucket/answers/"}}

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html
    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-prerequisites.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding where `autoscaling.min` is 0 without `async_inference`."""
    section = analysis.spec.deployment
    if section is None or section.autoscaling is None or section.async_inference is not None:
        return
    if section.autoscaling.min == 0:
        route = ("deployment", "autoscaling", "min")
        yield RULE.at(
            route,
            "deployment.autoscaling.min is 0, but a real-time endpoint keeps at least 1 instance",
            "set it to 1, or add deployment.async_inference, whose requests wait for an instance",
            fixes=(Fix("set deployment.autoscaling.min to 1", route, 1),),
        )
