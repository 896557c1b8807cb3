"""Rules on regions: the roles and images that a request in a region may name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hbspec.catalog.partitions import partition
from hbspec.diagnostics import Route, route_text

_IMAGE = re.compile(r"\d{12}\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.")


def role_elsewhere(route: Route, role: str | None, region: str) -> Iterator[tuple[Route, str]]:
    """A problem if the role is in another partition than the region; none for an unknown region.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html, "Each AWS account is scoped to one
    partition."
    """
    home = partition(region)
    if role is None or home is None or not role.startswith("arn:"):
        return
    named = role.split(":")[1]
    if named != home.name:
        yield route, f"{route_text(route)} is in partition {named!r}, but region {region} is in {home.name!r}"


def image_elsewhere(route: Route, image: str | None, region: str) -> Iterator[tuple[Route, str]]:
    """A problem if an Amazon ECR image is in another region; none for images in other registries.

    Source: botocore's model, ContainerDefinition$Image: "must be in the same region as the model or endpoint you are
    creating"; for training the service's words, "Please provide the valid <region>.<dns-suffix>", as quoted in
    https://github.com/aws-samples/mlops-amazon-sagemaker/issues/9.
    """
    found = _IMAGE.match(image or "")
    if found and found["region"] != region:
        yield route, f"{route_text(route)} is in {found['region']}, but the request is for {region}"
