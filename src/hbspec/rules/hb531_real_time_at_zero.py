"""Autoscaling may leave no instance of an endpoint whose requests do not wait.

Why: Without an instance, SageMaker refuses requests to a real-time endpoint, until one has been started for those
refused, which takes minutes; clients must try again. The model is then an inference component of the endpoint: the
variant of a model keeps at least one instance, and so does that of an A/B test. Requests to an asynchronous endpoint
wait in a queue instead, and none fails.

Example:

    deployment: {autoscaling: {min: 0, max: 2}}

Instead:

    deployment: {autoscaling: {min: 0, max: 2}, async_inference: {output: "s3://bucket/answers/"}}

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-zero-instances.html
    https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.NOTE)

ROUTE = ("deployment", "autoscaling", "min")


def check(analysis: Analysis) -> Iterator[Finding]:
    """A note where `autoscaling.min` is 0 without `async_inference`, and an error where a test is."""
    section = analysis.spec.deployment
    if section is None or section.autoscaling is None or section.async_inference is not None:
        return
    if section.autoscaling.min > 0:
        return
    if section.ab_test is None:
        yield RULE.at(
            ROUTE,
            "deployment.autoscaling.min is 0: a real-time endpoint refuses requests until an instance has started",
            "let clients try again, or add deployment.async_inference, whose requests wait",
        )
        return
    yield RULE.at(
        ROUTE,
        "deployment.autoscaling.min is 0, but the variant of an A/B test keeps at least 1 instance",
        "set it to 1",
        severity=Severity.ERROR,
        fixes=(Fix("set deployment.autoscaling.min to 1", ROUTE, 1),),
    )
