"""Autoscaling of an endpoint's new variant: the bodies of RegisterScalableTarget and PutScalingPolicy.

The policy tracks the concurrent requests per instance, which fill the batch of the engine. High-resolution metrics are
emitted every 10 seconds. https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
METRIC = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
BUSY_SHARE = 0.7
"""Of what an instance answers at once; the rest is there while another one starts. AWS' own guide sets a target with
room to spare: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-loadtest.html"""
SCALE_OUT_SECONDS, SCALE_IN_SECONDS = 60, 300
"""Cooldowns: an instance is added quickly, but removed only after some quiet minutes."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """The fewest and the most instances, and the concurrent requests that one of them holds."""

    fewest: int
    most: int
    requests: int


def requests(endpoint: str, variant: str, scaling: Scaling | None) -> Mapping[str, dict[str, Any]]:
    """The request bodies by operation, in the order of sending; empty without autoscaling."""
    if scaling is None:
        return {}
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{variant}",
        "ScalableDimension": DIMENSION,
    }
    return {
        "RegisterScalableTarget": {**target, "MinCapacity": scaling.fewest, "MaxCapacity": scaling.most},
        "PutScalingPolicy": {
            "PolicyName": f"{endpoint}-{variant}-requests",
            **target,
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": max(1.0, round(BUSY_SHARE * scaling.requests, 1)),
                "PredefinedMetricSpecification": {"PredefinedMetricType": METRIC},
                "ScaleInCooldown": SCALE_IN_SECONDS,
                "ScaleOutCooldown": SCALE_OUT_SECONDS,
            },
        },
    }
