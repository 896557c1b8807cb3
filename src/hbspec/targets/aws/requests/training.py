"""Rules of CreateTrainingJob that are not constraints of the API model's shapes: its limits, its code and its metrics.

Those on what is rented, read, written and named are in the modules beside this one.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from hbspec.catalog import limits
from hbspec.diagnostics import Route
from hbspec.targets.aws.requests import capacity, channels, names, places
from hbspec.targets.aws.requests.regions import image_elsewhere, role_elsewhere

Said = Iterator[tuple[Route, str]]


def spot_without_max_wait(body: Mapping[str, Any]) -> Said:
    """A managed spot job needs MaxWaitTimeInSeconds, a limit on waiting plus running.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-managed-spot-training.html, "Using Managed Spot
    Training": set EnableManagedSpotTraining and specify MaxWaitTimeInSeconds.
    """
    if body.get("EnableManagedSpotTraining") and "MaxWaitTimeInSeconds" not in body.get("StoppingCondition", {}):
        yield ("StoppingCondition", "MaxWaitTimeInSeconds"), "a managed spot job has no MaxWaitTimeInSeconds"


def max_wait_without_spot(body: Mapping[str, Any]) -> Said:
    """MaxWaitTimeInSeconds is allowed only for managed spot jobs.

    Source: the service's words, "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is
    set to true", as quoted in https://github.com/Kenza-AI/sagify/issues/111.
    """
    if "MaxWaitTimeInSeconds" in body.get("StoppingCondition", {}) and not body.get("EnableManagedSpotTraining"):
        route = ("StoppingCondition", "MaxWaitTimeInSeconds")
        yield route, "MaxWaitTimeInSeconds is given but EnableManagedSpotTraining is not true"


def max_wait_below_max_runtime(body: Mapping[str, Any]) -> Said:
    """MaxWaitTimeInSeconds, which includes the running time, must be at least MaxRuntimeInSeconds.

    Source: botocore's model, StoppingCondition$MaxWaitTimeInSeconds: "must be equal to or greater than
    MaxRuntimeInSeconds".
    """
    condition = body.get("StoppingCondition", {})
    wait = condition.get("MaxWaitTimeInSeconds")
    runtime = condition.get("MaxRuntimeInSeconds", limits.DEFAULT_RUNTIME_SECONDS)
    if wait is not None and wait < runtime:
        route = ("StoppingCondition", "MaxWaitTimeInSeconds")
        yield route, f"MaxWaitTimeInSeconds ({wait}) is below MaxRuntimeInSeconds ({runtime})"


def max_runtime_above_limit(body: Mapping[str, Any]) -> Said:
    """A job runs for at most 28 days.

    Source: botocore's model, StoppingCondition$MaxRuntimeInSeconds: "The maximum value is 28 days."
    """
    runtime = body.get("StoppingCondition", {}).get("MaxRuntimeInSeconds")
    if runtime is not None and runtime > limits.MAX_RUNTIME_SECONDS:
        route = ("StoppingCondition", "MaxRuntimeInSeconds")
        yield route, f"MaxRuntimeInSeconds is {runtime}, the limit is {limits.MAX_RUNTIME_SECONDS} (28 days)"


def member_of_a_job_missing(body: Mapping[str, Any]) -> Said:
    """Only a serverless job may lack an algorithm, resources and a stopping condition.

    Source: botocore's model required all three until serverless jobs made them optional (1.40.0 does, 1.44.5 does not).
    """
    if "ServerlessJobConfig" not in body:
        for member in ("AlgorithmSpecification", "ResourceConfig", "StoppingCondition"):
            if member not in body:
                yield (member,), f"{member} is missing, but the job is not serverless"


def image_and_algorithm(body: Mapping[str, Any]) -> Said:
    """A job runs either a training image or an algorithm resource.

    Source: botocore's model, AlgorithmSpecification$AlgorithmName: "mutually exclusive with the TrainingImage
    parameter"; "You must specify either".
    """
    algorithm = body.get("AlgorithmSpecification")
    if algorithm is not None and ("TrainingImage" in algorithm) == ("AlgorithmName" in algorithm):
        count = "both" if "TrainingImage" in algorithm else "neither"
        yield ("AlgorithmSpecification", "TrainingImage"), f"{count} of TrainingImage and AlgorithmName are given"


def metric_without_value(body: Mapping[str, Any]) -> Said:
    """The regular expression of a metric must capture a value.

    Source: botocore's model, MetricDefinition$Regex: "searches the output of a training job and gets the value of the
    metric"; the examples of https://docs.aws.amazon.com/sagemaker/latest/dg/define-train-metrics.html capture it with
    a group. Checked with Python's `re`, which may differ from the service's engine.
    """
    definitions = body.get("AlgorithmSpecification", {}).get("MetricDefinitions", ())
    for index, definition in enumerate(definitions):
        route = ("AlgorithmSpecification", "MetricDefinitions", index, "Regex")
        name, regex = definition.get("Name"), definition.get("Regex", "()")
        if len(regex) > limits.MAX_METRIC_REGEX_LENGTH:
            continue
        try:
            with warnings.catch_warnings(action="ignore"):
                groups = re.compile(regex).groups
        except (re.error, RecursionError, OverflowError) as error:
            yield route, f"the regular expression of metric {name!r} does not compile: {error}"
        else:
            if not groups:
                yield route, f"the regular expression of metric {name!r} captures nothing: it has no (group)"


def role_in_another_partition(body: Mapping[str, Any], region: str) -> Said:
    """See `role_elsewhere`."""
    yield from role_elsewhere(("RoleArn",), body.get("RoleArn"), region)


def image_in_another_region(body: Mapping[str, Any], region: str) -> Said:
    """See `image_elsewhere`."""
    image = body.get("AlgorithmSpecification", {}).get("TrainingImage")
    yield from image_elsewhere(("AlgorithmSpecification", "TrainingImage"), image, region)


BODY_RULES = (
    spot_without_max_wait,
    max_wait_without_spot,
    max_wait_below_max_runtime,
    max_runtime_above_limit,
    member_of_a_job_missing,
    image_and_algorithm,
    metric_without_value,
    *capacity.BODY_RULES,
    *channels.BODY_RULES,
    *places.BODY_RULES,
    *names.BODY_RULES,
)
REGION_RULES = (
    role_in_another_partition,
    image_in_another_region,
    *capacity.REGION_RULES,
    *places.REGION_RULES,
)
