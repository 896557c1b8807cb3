"""Offline validation of requests, as the service would validate them.

There are two layers: the constraints of AWS's API model (types, members, enums, patterns, bounds), as JSON Schemas
generated from botocore, and rules between members that the model states only in prose or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hbspec.diagnostics import Route
from hbspec.targets.aws.requests import alarms, hosting, training
from hbspec.targets.aws.requests.problem import Problem
from hbspec.targets.aws.requests.schema import OPERATIONS, schema_problems

__all__ = ["OPERATIONS", "Problem", "schema_problems", "validate"]

BodyRule = Callable[[Mapping[str, Any]], Iterator[tuple[Route, str]]]
RegionRule = Callable[[Mapping[str, Any], str], Iterator[tuple[Route, str]]]

BODY_RULES: Mapping[str, tuple[BodyRule, ...]] = {
    "CreateTrainingJob": training.BODY_RULES,
    "CreateModel": hosting.MODEL_BODY_RULES,
    "CreateEndpointConfig": hosting.ENDPOINT_CONFIG_BODY_RULES,
    "PutMetricAlarm": alarms.BODY_RULES,
}
REGION_RULES: Mapping[str, tuple[RegionRule, ...]] = {
    "CreateTrainingJob": training.REGION_RULES,
    "CreateModel": hosting.MODEL_REGION_RULES,
    "CreateEndpointConfig": hosting.ENDPOINT_CONFIG_REGION_RULES,
}


def validate(operation: str, body: Mapping[str, Any], region: str | None = None) -> list[Problem]:
    """Every problem for which the service would reject a request's body, as far as it can be known offline.

    `operation` is the API's name, such as `CreateTrainingJob`. `region` is the region of the request; if it is None,
    the regions of roles and images are not checked. If a member has the wrong type, rules between members are not
    checked.

    Raises:
        ValueError: not one of `OPERATIONS`.
    """
    problems = schema_problems(operation, body)
    if any(problem.check == "type" for problem in problems):
        return problems
    said = [(rule.__name__, rule(body)) for rule in BODY_RULES.get(operation, ())]
    if region is not None:
        said += [(rule.__name__, rule(body, region)) for rule in REGION_RULES.get(operation, ())]
    return problems + [Problem(route, message, name) for name, found in said for route, message in found]
