"""Rules of CreateTrainingJob on what is rented: instances, their volumes, warm pools and reserved capacity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from hbspec.catalog import catalog, limits
from hbspec.diagnostics import Route, route_text

Said = Iterator[tuple[Route, str]]
RESOURCES = "ResourceConfig"


def instances_not_chosen(body: Mapping[str, Any]) -> Said:
    """A job that is not serverless names its instances: a type and a count, groups, or preferences.

    Source: the SDK's `_prepare_resource_config`, "instance_count and instance_type must be set if instance_groups is
    not set", https://github.com/aws/sagemaker-python-sdk/blob/v2.232.0/src/sagemaker/job.py
    """
    resources = body.get(RESOURCES)
    if resources is None or "ServerlessJobConfig" in body or {"InstanceGroups", "InstancePreferences"} & set(resources):
        return
    for member in ("InstanceType", "InstanceCount"):
        if member not in resources:
            yield (RESOURCES, member), f"{RESOURCES}.{member} is missing"


def instances_chosen_twice(body: Mapping[str, Any]) -> Said:
    """InstancePreferences replaces the other choices of instances, and excludes managed spot training.

    Source: botocore's model, ResourceConfig$InstancePreferences: "mutually exclusive with InstanceType, InstanceGroups,
    InstancePlacementConfig, and EnableManagedSpotTraining".
    """
    resources = body.get(RESOURCES, {})
    if "InstancePreferences" in resources:
        for member in ("InstanceType", "InstanceGroups", "InstancePlacementConfig"):
            if member in resources:
                yield (RESOURCES, member), f"{member} is given together with InstancePreferences"
        if body.get("EnableManagedSpotTraining"):
            yield ("EnableManagedSpotTraining",), "managed spot training is requested together with InstancePreferences"
    elif "InstanceGroups" in resources:
        for member in ("InstanceType", "InstanceCount"):
            if member in resources:
                yield (RESOURCES, member), f"{member} is given together with InstanceGroups"


def preferences_counted_unevenly(body: Mapping[str, Any]) -> Said:
    """The count of instances stands once for the job, or once in every preference.

    Source: botocore's model, InstancePreference$InstanceCount: "SageMaker rejects requests that set InstanceCount on
    only some preferences, that set it both per preference and in ResourceConfig, or that omit it in both places."
    """
    resources = body.get(RESOURCES, {})
    preferences = resources.get("InstancePreferences", ())
    if not preferences:
        return
    counted, of_job = sum("InstanceCount" in one for one in preferences), "InstanceCount" in resources
    if counted != (0 if of_job else len(preferences)):
        of_the_job = "one" if of_job else "none"
        said = f"{counted} of {len(preferences)} preferences have an InstanceCount, and the job has {of_the_job}"
        yield (RESOURCES, "InstancePreferences"), said


def preference_repeated(body: Mapping[str, Any]) -> Said:
    """A list of preferences names each instance type once.

    Source: botocore's model, InstancePreference$InstanceType: "An instance type can appear only once".
    """
    preferences = body.get(RESOURCES, {}).get("InstancePreferences", ())
    for name, count in Counter(one.get("InstanceType") for one in preferences).items():
        if count > 1:
            yield (RESOURCES, "InstancePreferences"), f"{count} preferences are {name}"


def plan_chosen_twice(body: Mapping[str, Any]) -> Said:
    """A training plan is that of the job, or those of its preferences.

    Source: botocore's model, InstancePreference$TrainingPlanArns: "mutually exclusive with the job-level
    TrainingPlanArn in ResourceConfig".
    """
    resources = body.get(RESOURCES, {})
    if "TrainingPlanArn" in resources and any(
        "TrainingPlanArns" in one for one in resources.get("InstancePreferences", ())
    ):
        yield (RESOURCES, "TrainingPlanArn"), "TrainingPlanArn is given for the job and for a preference"


def selected_by_hand(body: Mapping[str, Any]) -> Said:
    """What SageMaker selects is only read.

    Source: botocore's model, ResourceConfig$SelectedInstanceType and $SelectedInstanceCount: "read-only and isn't
    accepted in CreateTrainingJob requests".
    """
    for member in ("SelectedInstanceType", "SelectedInstanceCount"):
        if member in body.get(RESOURCES, {}):
            yield (RESOURCES, member), f"{member} is only told, never asked for"


def no_instance(body: Mapping[str, Any]) -> Said:
    """A job needs at least one instance, although the shape TrainingInstanceCount allows 0.

    Source: inferred from botocore's model, ResourceConfig$InstanceCount: "The number of ML compute instances to use.
    For distributed training, provide a value greater than 1."; of placements, PlacementSpecification$InstanceCount:
    "Minimum value of 1."
    """
    resources = body.get(RESOURCES, {})
    places: dict[Route, Mapping[str, Any]] = {(RESOURCES, "InstanceCount"): resources}
    of_lists = {
        ("InstanceGroups",): resources.get("InstanceGroups", ()),
        ("InstancePreferences",): resources.get("InstancePreferences", ()),
        ("InstancePlacementConfig", "PlacementSpecifications"): resources.get("InstancePlacementConfig", {}).get(
            "PlacementSpecifications", ()
        ),
    }
    for where, entries in of_lists.items():
        places |= {(RESOURCES, *where, index, "InstanceCount"): entry for index, entry in enumerate(entries)}
    for route, place in places.items():
        if place.get("InstanceCount") == 0:
            yield route, f"{route_text(route)} is 0, at least 1 is needed"


def group_named_twice(body: Mapping[str, Any]) -> Said:
    """Channels and scripts address a group by its name.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_InstanceGroup.html with
    API_S3DataSource.html, InstanceGroupNames: "A list of names of instance groups that get data".
    """
    groups = body.get(RESOURCES, {}).get("InstanceGroups", ())
    for name, count in Counter(group.get("InstanceGroupName") for group in groups).items():
        if count > 1:
            yield (RESOURCES, "InstanceGroups"), f"{count} instance groups are named {name!r}"


def warm_pool_of_spot(body: Mapping[str, Any]) -> Said:
    """Spot instances are not kept.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/train-warm-pools.html, Considerations: "cannot be used with
    spot instances".
    """
    if body.get("EnableManagedSpotTraining") and body.get(RESOURCES, {}).get("KeepAlivePeriodInSeconds"):
        route = (RESOURCES, "KeepAlivePeriodInSeconds")
        yield route, "KeepAlivePeriodInSeconds is given for a managed spot job, whose instances are not kept"


def warm_pool_of_groups(body: Mapping[str, Any]) -> Said:
    """A heterogeneous cluster is not kept.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/train-warm-pools.html, Considerations: "cannot be used with
    heterogeneous cluster training".
    """
    resources = body.get(RESOURCES, {})
    if "InstanceGroups" in resources and resources.get("KeepAlivePeriodInSeconds"):
        yield (RESOURCES, "KeepAlivePeriodInSeconds"), "KeepAlivePeriodInSeconds is given with InstanceGroups"


def volume_key_beside_nvme(body: Mapping[str, Any]) -> Said:
    """Local disks have a key of their own, and no other.

    Source: botocore's model, ResourceConfig$VolumeKmsKeyId: "You can't request a VolumeKmsKeyId when using an instance
    type with local storage."
    """
    if "VolumeKmsKeyId" in body.get(RESOURCES, {}):
        for name in _types(body):
            row = catalog().instances.get(name)
            if row is not None and row.nvme_bytes:
                route = (RESOURCES, "VolumeKmsKeyId")
                yield route, f"VolumeKmsKeyId is given, but {name} has local storage, which takes no key"


def volume_missing(body: Mapping[str, Any]) -> Said:
    """An instance without disks of its own needs a volume.

    Source: botocore's model, ResourceConfig$VolumeSizeInGB: "When using an ML instance with the EBS-only storage option
    and without instance storage, you must define the size of EBS volume".
    """
    if not body.get(RESOURCES, {}).get("VolumeSizeInGB"):
        for name in _types(body):
            row = catalog().instances.get(name)
            if row is not None and row.nvme_bytes == 0:
                yield (RESOURCES, "VolumeSizeInGB"), f"{name} has no local storage, and VolumeSizeInGB is not given"


def volume_too_large(body: Mapping[str, Any]) -> Said:
    """A volume is one of type gp2, whose largest has 16 TiB.

    Source: botocore's model, ResourceConfig$VolumeSizeInGB, "Amazon EBS General Purpose SSD (gp2) storage", and
    https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html
    """
    size = body.get(RESOURCES, {}).get("VolumeSizeInGB", 0)
    if size > limits.MAX_VOLUME_GB:
        yield (RESOURCES, "VolumeSizeInGB"), f"VolumeSizeInGB is {size}, the limit is {limits.MAX_VOLUME_GB}"


def volume_of_a_serverless_job(body: Mapping[str, Any]) -> Said:
    """A serverless job has no volume to choose.

    Source: botocore's model, ResourceConfig$VolumeSizeInGB: "SageMaker automatically selects the volume size for
    serverless training jobs. You cannot customize this setting."
    """
    if "ServerlessJobConfig" in body and "VolumeSizeInGB" in body.get(RESOURCES, {}):
        yield (RESOURCES, "VolumeSizeInGB"), "VolumeSizeInGB is given for a serverless job"


def plan_elsewhere(body: Mapping[str, Any], region: str) -> Said:
    """A training plan is capacity in one region.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/reserve-capacity-with-training-plans.html
    """
    named = body.get(RESOURCES, {}).get("TrainingPlanArn", "").split(":")
    if len(named) > 3 and named[3] != region:
        yield (RESOURCES, "TrainingPlanArn"), f"TrainingPlanArn is of {named[3]}, but the request is for {region}"


def _types(body: Mapping[str, Any]) -> list[str]:
    """The types that a job names, each once."""
    resources = body.get(RESOURCES, {})
    entries = (resources, *resources.get("InstanceGroups", ()), *resources.get("InstancePreferences", ()))
    return [*dict.fromkeys(entry["InstanceType"] for entry in entries if "InstanceType" in entry)]


BODY_RULES = (
    instances_not_chosen,
    instances_chosen_twice,
    preferences_counted_unevenly,
    preference_repeated,
    plan_chosen_twice,
    selected_by_hand,
    no_instance,
    group_named_twice,
    warm_pool_of_spot,
    warm_pool_of_groups,
    volume_key_beside_nvme,
    volume_missing,
    volume_too_large,
    volume_of_a_serverless_job,
)
REGION_RULES = (plan_elsewhere,)
