"""What the service refuses in CreateTrainingJob although its model does not say so in a shape."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from hbspec.catalog import limits
from hbspec.diagnostics import Route, route_text
from hbspec.targets.aws.requests.regions import image_elsewhere, role_elsewhere

Said = Iterator[tuple[Route, str]]


def spot_without_max_wait(body: Mapping[str, Any]) -> Said:
    """A managed spot job needs a limit on waiting and running together.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-managed-spot-training.html, "Using Managed Spot
    Training": set EnableManagedSpotTraining and specify MaxWaitTimeInSeconds.
    """
    if body.get("EnableManagedSpotTraining") and "MaxWaitTimeInSeconds" not in body.get("StoppingCondition", {}):
        yield ("StoppingCondition", "MaxWaitTimeInSeconds"), "a managed spot job has no MaxWaitTimeInSeconds"


def max_wait_without_spot(body: Mapping[str, Any]) -> Said:
    """MaxWaitTimeInSeconds is for managed spot jobs only.

    Source: the service's words, "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is
    set to true", as quoted in https://github.com/Kenza-AI/sagify/issues/111.
    """
    if "MaxWaitTimeInSeconds" in body.get("StoppingCondition", {}) and not body.get("EnableManagedSpotTraining"):
        route = ("StoppingCondition", "MaxWaitTimeInSeconds")
        yield route, "MaxWaitTimeInSeconds is given but EnableManagedSpotTraining is not true"


def max_wait_below_max_runtime(body: Mapping[str, Any]) -> Said:
    """Waiting for capacity counts towards MaxWaitTimeInSeconds, running counts too.

    Source: botocore's model, StoppingCondition$MaxWaitTimeInSeconds: "must be equal to or greater than
    MaxRuntimeInSeconds".
    """
    condition = body.get("StoppingCondition", {})
    wait = condition.get("MaxWaitTimeInSeconds")
    runtime = condition.get("MaxRuntimeInSeconds", limits.DEFAULT_RUNTIME_SECONDS)
    if wait is not None and wait < runtime:
        route = ("StoppingCondition", "MaxWaitTimeInSeconds")
        yield route, f"MaxWaitTimeInSeconds is {wait}, below MaxRuntimeInSeconds, which is {runtime}"


def max_runtime_above_limit(body: Mapping[str, Any]) -> Said:
    """A job runs for 28 days at most.

    Source: botocore's model, StoppingCondition$MaxRuntimeInSeconds: "The maximum value is 28 days."
    """
    runtime = body.get("StoppingCondition", {}).get("MaxRuntimeInSeconds")
    if runtime is not None and runtime > limits.MAX_RUNTIME_SECONDS:
        route = ("StoppingCondition", "MaxRuntimeInSeconds")
        yield route, f"MaxRuntimeInSeconds is {runtime}, the limit is {limits.MAX_RUNTIME_SECONDS} (28 days)"


def member_of_a_job_missing(body: Mapping[str, Any]) -> Said:
    """Only a serverless job goes without an algorithm, resources and a stopping condition.

    Source: botocore's model required all three until serverless jobs made them optional (1.40.0 does, 1.44.5 does not).
    """
    if "ServerlessJobConfig" not in body:
        for member in ("AlgorithmSpecification", "ResourceConfig", "StoppingCondition"):
            if member not in body:
                yield (member,), f"{member} is missing, and the job is not serverless"


def image_and_algorithm(body: Mapping[str, Any]) -> Said:
    """A job runs either an image or an algorithm resource.

    Source: botocore's model, AlgorithmSpecification$AlgorithmName: "mutually exclusive with the TrainingImage
    parameter"; "You must specify either".
    """
    algorithm = body.get("AlgorithmSpecification")
    if algorithm is not None and ("TrainingImage" in algorithm) == ("AlgorithmName" in algorithm):
        count = "both" if "TrainingImage" in algorithm else "neither"
        yield ("AlgorithmSpecification", "TrainingImage"), f"{count} of TrainingImage and AlgorithmName given"


def instances_chosen_twice(body: Mapping[str, Any]) -> Said:
    """InstancePreferences is another way to choose instances, and for on-demand capacity or training plans only.

    Source: botocore's model, ResourceConfig$InstancePreferences: "mutually exclusive with InstanceType, InstanceGroups,
    InstancePlacementConfig, and EnableManagedSpotTraining".
    """
    resources = body.get("ResourceConfig", {})
    if "InstancePreferences" in resources:
        for member in ("InstanceType", "InstanceGroups", "InstancePlacementConfig"):
            if member in resources:
                yield ("ResourceConfig", member), f"{member} is given beside InstancePreferences"
        if body.get("EnableManagedSpotTraining"):
            yield ("EnableManagedSpotTraining",), "managed spot training is asked for beside InstancePreferences"


def no_instance(body: Mapping[str, Any]) -> Said:
    """A job runs on an instance; the shape TrainingInstanceCount starts at 0.

    Source: inferred from botocore's model, ResourceConfig$InstanceCount: "The number of ML compute instances to use.
    For distributed training, provide a value greater than 1."
    """
    resources = body.get("ResourceConfig", {})
    places: dict[Route, Mapping[str, Any]] = {("ResourceConfig", "InstanceCount"): resources}
    for index, group in enumerate(resources.get("InstanceGroups", ())):
        places["ResourceConfig", "InstanceGroups", index, "InstanceCount"] = group
    for route, place in places.items():
        if place.get("InstanceCount") == 0:
            yield route, f"{route_text(route)} is 0, at least 1 is needed"


def channel_named_twice(body: Mapping[str, Any]) -> Said:
    """A channel is a folder, /opt/ml/input/data/NAME, so a name stands for one channel.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Channel.html ("A channel is a named input
    source") and https://docs.aws.amazon.com/sagemaker/latest/dg/model-train-storage.html (the folder).
    """
    names = Counter(channel.get("ChannelName") for channel in body.get("InputDataConfig", ()))
    for name, count in names.items():
        if count > 1:
            yield ("InputDataConfig",), f"{count} channels are named {name!r}"


def data_source_count(body: Mapping[str, Any]) -> Said:
    """A channel has one source of data; the shape DataSource is not a union, so none and two pass it.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DataSource.html, "Describes the location of
    the channel data": one location a channel.
    """
    for index, channel in enumerate(body.get("InputDataConfig", ())):
        source = channel.get("DataSource")
        if source is not None and len(source) != 1:
            given = " and ".join(sorted(source)) or "none"
            yield ("InputDataConfig", index, "DataSource"), f"a channel has one source of data, here: {given}"


def metric_without_value(body: Mapping[str, Any]) -> Said:
    """A metric's value is what its regular expression captures.

    Source: botocore's model, MetricDefinition$Regex: "searches the output of a training job and gets the value of the
    metric"; the examples of https://docs.aws.amazon.com/sagemaker/latest/dg/define-train-metrics.html capture it with
    a group. Judged by Python's `re`, which may differ from the service's engine.
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
    instances_chosen_twice,
    no_instance,
    channel_named_twice,
    data_source_count,
    metric_without_value,
)
REGION_RULES = (role_in_another_partition, image_in_another_region)
