"""Autoscaling of an endpoint's new variant: the bodies of RegisterScalableTarget and PutScalingPolicy.

The policy tracks the concurrent requests per instance, which fill the batch of the engine. High-resolution metrics are
emitted every 10 seconds. https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html

Of an asynchronous endpoint it tracks the requests per instance that wait or are being answered. Where there may be no
instance, of which nothing is measured, an alarm on waiting requests starts the first by a policy of its own.
https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hbspec.targets.aws.operations import Bodies

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
METRIC = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
BUSY_SHARE = 0.7
"""Of what an instance answers at once; the rest is there while another one starts. AWS' own guide sets a target with
room to spare: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-loadtest.html"""
NAMESPACE = "AWS/SageMaker"
BACKLOG, WAITING = "ApproximateBacklogSizePerInstance", "HasBacklogWithoutCapacity"
WAITING_SECONDS, WAITING_PERIODS = 60, 2
"""Requests wait for so long, and so often, until an instance is started (AWS' example)."""
SCALE_OUT_SECONDS, SCALE_IN_SECONDS = 60, 300
"""Cooldowns: an instance is added quickly, but removed only after some quiet minutes."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """The fewest and the most instances, the concurrent requests that one of them holds, and whether others wait."""

    fewest: int
    most: int
    requests: int
    queued: bool = False

    @property
    def from_zero(self) -> bool:
        """Whether requests may wait for the first instance."""
        return self.queued and self.fewest == 0


def waiting_alarm(endpoint: str, variant: str) -> str:
    """The name of the alarm on requests that wait for the first instance."""
    return f"{endpoint}-{variant}-waiting"


def requests(endpoint: str, variant: str, scaling: Scaling | None, tags: dict[str, Any]) -> Bodies:
    """The request bodies; empty without autoscaling.

    Args:
        endpoint: its name.
        variant: the name of its variant.
        scaling: None without.
        tags: the member `Tags` of what takes tags.
    """
    if scaling is None:
        return {}
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{variant}",
        "ScalableDimension": DIMENSION,
    }
    return {
        "register_scalable_target": {**target, "MinCapacity": scaling.fewest, "MaxCapacity": scaling.most},
        "put_scaling_policy": {
            "PolicyName": f"{endpoint}-{variant}-requests",
            **target,
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                **_tracked(endpoint, scaling),
                "ScaleInCooldown": SCALE_IN_SECONDS,
                "ScaleOutCooldown": SCALE_OUT_SECONDS,
            },
        },
        **(_from_zero(endpoint, variant, target, tags) if scaling.from_zero else {}),
    }


def _tracked(endpoint: str, scaling: Scaling) -> dict[str, Any]:
    """The metric and its target: a share of what is answered at once, or with a queue all of it."""
    if not scaling.queued:
        busy = max(1.0, round(BUSY_SHARE * scaling.requests, 1))
        return {"TargetValue": busy, "PredefinedMetricSpecification": {"PredefinedMetricType": METRIC}}
    metric = {"MetricName": BACKLOG, "Namespace": NAMESPACE, "Dimensions": _of(endpoint), "Statistic": "Average"}
    return {"TargetValue": float(scaling.requests), "CustomizedMetricSpecification": metric}


def _of(endpoint: str) -> list[dict[str, str]]:
    return [{"Name": "EndpointName", "Value": endpoint}]


def _from_zero(endpoint: str, variant: str, target: dict[str, str], tags: dict[str, Any]) -> Bodies:
    """The policy that adds one instance, and the alarm that applies it, to which the policy's ARN is added."""
    step = {
        "AdjustmentType": "ChangeInCapacity",
        "MetricAggregationType": "Average",
        "Cooldown": SCALE_IN_SECONDS,
        "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
    }
    return {
        "put_scaling_policy_from_zero": {
            "PolicyName": f"{endpoint}-{variant}-from-zero",
            **target,
            "PolicyType": "StepScaling",
            "StepScalingPolicyConfiguration": step,
        },
        "put_metric_alarm_from_zero": {
            "AlarmName": waiting_alarm(endpoint, variant),
            "AlarmDescription": f"Requests to {endpoint} wait for the first instance, which is started.",
            "Namespace": NAMESPACE,
            "MetricName": WAITING,
            "Dimensions": _of(endpoint),
            "Statistic": "Average",
            "Period": WAITING_SECONDS,
            "EvaluationPeriods": WAITING_PERIODS,
            "DatapointsToAlarm": WAITING_PERIODS,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "missing",
            **tags,
        },
    }
