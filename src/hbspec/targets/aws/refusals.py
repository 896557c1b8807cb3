"""What the service would refuse, said before it is asked."""

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
"""Which part of a spec a part of a request comes from; the longest prefix counts."""


def refused(operation: str, body: Mapping[str, Any], region: str | None) -> list[Finding]:
    """Everything that the service would refuse in a body, at the keys of the spec that it comes from."""
    return [
        refusal(
            "HB043",
            _origin(problem.route),
            f"{operation} would refuse {route_text(problem.route)}: {problem.message}",
            "change the value that it is compiled from",
        )
        for problem in validate(operation, body, region)
    ]


def _origin(route: Route) -> Route:
    names = tuple(part for part in route if isinstance(part, str))
    for length in range(len(names), 0, -1):
        if names[:length] in ORIGINS:
            return ORIGINS[names[:length]]
    return ()
