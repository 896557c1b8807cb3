"""The autoscaling of an endpoint's new variant: bodies of RegisterScalableTarget and PutScalingPolicy.

Target tracking on the requests that each instance has in work, which is what an engine's batch is full of. High
resolution metrics come every 10 seconds. https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
METRIC = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
SCALE_OUT_SECONDS, SCALE_IN_SECONDS = 60, 300
"""Between two changes: an instance more is wanted soon; one less is certain only after some quiet minutes."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """Bounds, and the requests that one instance shall have in work."""

    fewest: int
    most: int
    requests: int


def requests(endpoint: str, variant: str, scaling: Scaling | None) -> Mapping[str, dict[str, Any]]:
    """Operation to body, in the order in which they are sent; none without autoscaling."""
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
                "TargetValue": float(scaling.requests),
                "PredefinedMetricSpecification": {"PredefinedMetricType": METRIC},
                "ScaleInCooldown": SCALE_IN_SECONDS,
                "ScaleOutCooldown": SCALE_OUT_SECONDS,
            },
        },
    }
