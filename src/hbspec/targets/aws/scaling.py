"""Autoscaling of an endpoint's new variant: the bodies of RegisterScalableTarget and PutScalingPolicy.

The policy tracks the concurrent requests per instance, which fill the batch of the engine. High-resolution metrics are
emitted every 10 seconds. https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html

Of an asynchronous endpoint it tracks the requests per instance that wait or are being answered. Where there may be no
instance, of which nothing is measured, an alarm on waiting requests starts the first by a policy of its own; for copies
of an inference component it is one on refused requests.
https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html
https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-zero-instances.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hbspec.targets.aws.operations import Bodies

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
METRIC = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
COPIES = "sagemaker:inference-component:DesiredCopyCount"
METRIC_OF_COPY = "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution"
BUSY_SHARE = 0.7
"""Of what an instance answers at once; the rest is there while another one starts. AWS' own guide sets a target with
room to spare: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-loadtest.html"""
NAMESPACE = "AWS/SageMaker"
BACKLOG = "ApproximateBacklogSizePerInstance"
WAITING_SECONDS = 60
SCALE_OUT_SECONDS, SCALE_IN_SECONDS = 60, 300
"""Cooldowns: an instance is added quickly, but removed only after some quiet minutes."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """How many instances there are.

    Attributes:
        fewest, most: bounds of instances, or of an inference component's copies.
        requests: concurrent requests that one of them holds.
        queued: whether further requests wait in a queue.
        component: the name of the inference component; None where the model is the variant's.
    """

    fewest: int
    most: int
    requests: int
    queued: bool = False
    component: str | None = None

    @property
    def from_zero(self) -> bool:
        """Whether requests start the first instance."""
        return self.fewest == 0 and (self.queued or self.component is not None)

    def resource(self, endpoint: str, variant: str) -> dict[str, str]:
        """What is scaled: members of the requests."""
        scaled = f"inference-component/{self.component}" if self.component else f"endpoint/{endpoint}/variant/{variant}"
        dimension = COPIES if self.component else DIMENSION
        return {"ServiceNamespace": "sagemaker", "ResourceId": scaled, "ScalableDimension": dimension}


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
    target = scaling.resource(endpoint, variant)
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
        **(_from_zero(endpoint, variant, scaling, tags) if scaling.from_zero else {}),
    }


def _tracked(endpoint: str, scaling: Scaling) -> dict[str, Any]:
    """The metric and its target: a share of what is answered at once, or with a queue all of it."""
    if not scaling.queued:
        busy = max(1.0, round(BUSY_SHARE * scaling.requests, 1))
        metric = METRIC_OF_COPY if scaling.component else METRIC
        return {"TargetValue": busy, "PredefinedMetricSpecification": {"PredefinedMetricType": metric}}
    backlog = {"MetricName": BACKLOG, "Namespace": NAMESPACE, "Dimensions": _of(endpoint), "Statistic": "Average"}
    return {"TargetValue": float(scaling.requests), "CustomizedMetricSpecification": backlog}


def _of(endpoint: str) -> list[dict[str, str]]:
    return [{"Name": "EndpointName", "Value": endpoint}]


def _from_zero(endpoint: str, variant: str, scaling: Scaling, tags: dict[str, Any]) -> Bodies:
    """The policy that adds one instance, and the alarm that applies it, to which the policy's ARN is added.

    Requests that wait are looked at twice, as in AWS' example; one that was refused is enough.
    """
    if scaling.component:
        of = [{"Name": "InferenceComponentName", "Value": scaling.component}]
        metric = {"MetricName": "NoCapacityInvocationFailures", "Dimensions": of, "Statistic": "Sum"}
    else:
        metric = {"MetricName": "HasBacklogWithoutCapacity", "Dimensions": _of(endpoint), "Statistic": "Average"}
    periods = 1 if scaling.component else 2
    return {
        "put_scaling_policy_from_zero": {
            "PolicyName": f"{endpoint}-{variant}-from-zero",
            **scaling.resource(endpoint, variant),
            "PolicyType": "StepScaling",
            "StepScalingPolicyConfiguration": {
                "AdjustmentType": "ChangeInCapacity",
                "MetricAggregationType": "Maximum" if scaling.component else "Average",
                "Cooldown": SCALE_IN_SECONDS,
                "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
            },
        },
        "put_metric_alarm_from_zero": {
            "AlarmName": waiting_alarm(endpoint, variant),
            "AlarmDescription": f"Requests to {endpoint} need the first instance, which is started.",
            "Namespace": NAMESPACE,
            **metric,
            "Period": WAITING_SECONDS,
            "EvaluationPeriods": periods,
            "DatapointsToAlarm": periods,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "missing",
            **tags,
        },
    }
