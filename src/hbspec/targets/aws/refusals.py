"""Findings for requests that the service would reject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.diagnostics import Finding, Route, route_text
from hbspec.targets.aws.requests import validate
from hbspec.targets.lowering.needs import refusal

ORIGINS: Mapping[tuple[str, ...], Route] = {
    ("TrainingJobName",): ("name",),
    ("ModelName",): ("name",),
    ("EndpointName",): ("name",),
    ("EndpointConfigName",): ("name",),
    ("RoleArn",): ("sagemaker", "role"),
    ("ExecutionRoleArn",): ("sagemaker", "role"),
    ("HyperParameters",): ("hyperparameters",),
    ("Environment",): ("sagemaker", "environment"),
    ("AlgorithmSpecification", "TrainingImage"): ("sagemaker", "image"),
    ("AlgorithmSpecification", "MetricDefinitions"): ("monitoring", "metrics"),
    ("InputDataConfig",): ("data",),
    ("OutputDataConfig",): ("sagemaker", "output"),
    ("CheckpointConfig",): ("sagemaker", "checkpoints"),
    ("ResourceConfig", "InstanceType"): ("instance", "type"),
    ("ResourceConfig",): ("instance",),
    ("StoppingCondition", "MaxWaitTimeInSeconds"): ("instance", "max_wait"),
    ("StoppingCondition",): ("instance", "max_runtime"),
    ("VpcConfig",): ("sagemaker", "vpc"),
    ("Tags",): ("sagemaker", "tags"),
    ("ProductionVariants",): ("deployment", "instance"),
    ("PrimaryContainer",): ("deployment",),
    ("MinCapacity",): ("deployment", "autoscaling", "min"),
    ("MaxCapacity",): ("deployment", "autoscaling", "max"),
    ("ResourceId",): ("name",),
    ("PolicyName",): ("name",),
}
"""The key of the spec that a part of a request is compiled from; the longest matching prefix counts."""


def refused(operation: str, body: Mapping[str, Any], region: str | None) -> list[Finding]:
    """A finding for every problem of a body, at the key of the spec that the value is compiled from."""
    found = ((_origin(problem.route), problem.message) for problem in validate(operation, body, region))
    return [
        refusal(
            "HB043",
            route,
            f"{operation} would reject {route_text(route) or 'the request'}: {message}",
            f"change {route_text(route) or 'the spec'}",
        )
        for route, message in found
    ]


def _origin(route: Route) -> Route:
    names = tuple(part for part in route if isinstance(part, str))
    for length in range(len(names), 0, -1):
        if names[:length] in ORIGINS:
            return ORIGINS[names[:length]]
    return ()
