"""What a policy judges of a body of CreateTrainingJob, whichever tool wrote it.

A value is found by its name wherever it is in the body, so that instance groups, the debugger's rules and their images
count as the job's own do. A region is that of the image's registry, which has to be the job's.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from hbspec.catalog import Catalog
from hbspec.catalog.engines.images import registry_region
from hbspec.catalog.limits import DEFAULT_RUNTIME_SECONDS
from hbspec.diagnostics import Route
from hbspec.policy.request_cost import job_cost
from hbspec.policy.request_values import at, number, text
from hbspec.policy.subject import Counted, Said, Subject, uris_in
from hbspec.spelling import bare

FREE = frozenset(("HyperParameters", "Environment"))
"""Mappings whose keys are the author's."""
NAMES_A_MODEL = frozenset(
    ("modelid", "modelname", "modelnameorpath", "hfmodelid", "basemodel", "basemodelid", "basemodelarn", "modelpath")
) | {"pretrainedmodelnameorpath", "model"}
"""Keys by which training scripts are told a model, without signs: those of hbspec, transformers, TRL and JumpStart."""
GROUPS: Route = ("ResourceConfig", "InstanceGroups")
TYPE: Route = ("ResourceConfig", "InstanceType")
COUNT: Route = ("ResourceConfig", "InstanceCount")
IMAGE: Route = ("AlgorithmSpecification", "TrainingImage")
OUTPUT: Route = ("OutputDataConfig", "S3OutputPath")
RUNTIME: Route = ("StoppingCondition", "MaxRuntimeInSeconds")
_KEY_REGION = re.compile(r"arn:aws[a-z-]*:kms:([^:]*):.*")


def subject_of(body: Mapping[str, Any], catalog: Catalog) -> Subject:
    """What a policy judges of a request."""
    entries = tuple(_entries(body))
    types = tuple(_types(body, entries))
    seconds = at(body, RUNTIME)
    regions = tuple(_regions(body, entries))
    models = tuple(_models(entries))
    known = {name: catalog.models.get(name) for _, name, _ in models if name}
    return Subject(
        regions=regions,
        types=types,
        counts=(_count(body),),
        not_spot=None if body.get("EnableManagedSpotTraining") is True else ("EnableManagedSpotTraining",),
        runtime=Counted(RUNTIME, DEFAULT_RUNTIME_SECONDS if seconds is None else number(seconds)),
        tags=_tags(body),
        tags_route=("Tags",),
        without_key=tuple(_without_key(body, types, catalog)),
        without_vpc=tuple(_without_vpc(body)),
        models=models,
        licences=tuple(
            Said(
                route,
                (model := known.get(name or "")) and model.license,
                "" if name is None else "has no known licence",
            )
            for route, name, _ in models
        ),
        read=tuple(_read(body, entries)),
        written=tuple(_written(entries)),
        named=tuple(_named(entries)),
        images=tuple(_images(entries)),
        job_cost=partial(job_cost, body, regions, catalog),
        monthly_cost=None,
    )


def _entries(value: Any, route: Route = ()) -> Iterator[tuple[Route, Any]]:
    """Every value of a body below its top, with its route: also one that holds others, where a field wants text."""
    below = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for part, one in below:
        yield (*route, part), one
        yield from _entries(one, (*route, part))


Entries = tuple[tuple[Route, Any], ...]


def _fields(entries: Entries, end: str) -> Iterator[tuple[Route, Any]]:
    """The values of the service's own fields whose names end so."""
    return ((route, value) for route, value in entries if route[0] not in FREE and str(route[-1]).endswith(end))


def _types(body: Mapping[str, Any], entries: Entries) -> Iterator[Said]:
    groups = at(body, GROUPS)
    needed = [(*GROUPS, index, "InstanceType") for index in range(len(groups))] if isinstance(groups, list) else []
    found = {route: text(value) for route, value in _fields(entries, "InstanceType")}
    for route in needed or [TYPE]:
        found.setdefault(route, None)
    yield from (Said(route, value) for route, value in found.items())


def _count(body: Mapping[str, Any]) -> Counted:
    """The instances of the job, or of all its groups together."""
    groups = at(body, GROUPS)
    if not isinstance(groups, list) or not groups:
        return Counted(COUNT, number(at(body, COUNT)))
    counts = [number(at(group, ("InstanceCount",))) for group in groups]
    if at(body, COUNT) is not None:  # the service refuses both
        counts.append(number(at(body, COUNT)))
    return Counted(GROUPS, None if None in counts else sum(count for count in counts if count))


def _regions(body: Mapping[str, Any], entries: Entries) -> Iterator[Said]:
    image = text(at(body, IMAGE))
    yield Said(IMAGE, image and registry_region(image), "tells no region, as a registry of Amazon ECR does")
    for route, value in _fields(entries, "KmsKeyId"):
        if found := _KEY_REGION.fullmatch(text(value) or ""):
            yield Said(route, found[1])


def _models(entries: Entries) -> Iterator[Said]:
    """Every model that hyperparameters, environment or the service's fields name; if none, one that is not said."""
    found = [
        Said(route, (text(value) or "").strip("\"' ") or None)
        for route, value in entries
        if bare(str(route[-1])) in NAMES_A_MODEL and (route[0] in FREE or route[-1] == "BaseModelArn")
    ]
    yield from found or [Said(("HyperParameters",), None, "names no model, as MODEL_ID does")]


def _tags(body: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    tags = body.get("Tags")
    found: dict[str, tuple[str, ...]] = {}
    for tag in tags if isinstance(tags, list) else ():
        key, value = at(tag, ("Key",)), at(tag, ("Value",))
        if isinstance(key, str):
            found[key] = (*found.get(key, ()), value if isinstance(value, str) else "")
    return found


def _without_key(body: Mapping[str, Any], types: tuple[Said, ...], catalog: Catalog) -> Iterator[Route]:
    """The fields without a key: that of the output, and that of volumes unless every type has encrypted disks instead.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html, VolumeKmsKeyId
    """
    rows = [catalog.instances.get(value or "") for _, value, _ in types]
    own_disks = all(row is not None and row.nvme_bytes for row in rows)
    routes = [("OutputDataConfig", "KmsKeyId"), *([] if own_disks else [("ResourceConfig", "VolumeKmsKeyId")])]
    yield from (route for route in routes if text(at(body, route)) is None)


def _without_vpc(body: Mapping[str, Any]) -> Iterator[Route]:
    for route in (("VpcConfig", "Subnets"), ("VpcConfig", "SecurityGroupIds")):
        found = at(body, route)
        if not isinstance(found, list) or not found or not all(map(text, found)):
            yield route


def _read(body: Mapping[str, Any], entries: Entries) -> Iterator[Said]:
    """What the channels read; one that names objects in another way than by a prefix cannot be told."""
    for route, value in _fields(entries, "S3Uri"):
        if route[0] != "CheckpointConfig":
            yield Said(route, text(value))
    channels = body.get("InputDataConfig")
    for index, channel in enumerate(channels if isinstance(channels, list) else ()):
        place: Route = ("InputDataConfig", index, "DataSource")
        source = at(channel, ("DataSource", "S3DataSource"))
        others = set(at(channel, ("DataSource",)) or ()) - {"S3DataSource"}
        if not isinstance(source, Mapping) or others or text(source.get("S3Uri")) is None:
            yield Said(place, None, "is not a prefix in S3")
        elif source.get("S3DataType") != "S3Prefix":
            yield Said((*place, "S3DataSource", "S3DataType"), None, "is not S3Prefix: objects are named elsewhere")


def _written(entries: Entries) -> Iterator[Said]:
    found = dict(_fields(entries, "OutputPath"))
    found |= {route: value for route, value in _fields(entries, "S3Uri") if route[0] == "CheckpointConfig"}
    found.setdefault(OUTPUT, None)
    for route, value in found.items():
        uri = text(value)
        yield Said(route, uri and (uri if uri.endswith("/") else f"{uri}/"))


def _named(entries: Entries) -> Iterator[Said]:
    """The URIs in texts: of hyperparameters, of the environment, and of what the container is started with."""
    for route, value in entries:
        a_field = route[0] not in FREE and str(route[-1]).endswith(("S3Uri", "OutputPath"))
        if isinstance(value, str) and route[0] != "Tags" and not a_field:
            yield from uris_in(route, value)


def _images(entries: Entries) -> Iterator[Said]:
    found = {route: text(value) for route, value in _fields(entries, "Image")}
    found.setdefault(IMAGE, None)
    yield from (Said(route, value) for route, value in found.items())
