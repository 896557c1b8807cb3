"""What a region decides: its partition, and with it which roles and which images a request there may name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hbspec.catalog.partitions import partition
from hbspec.diagnostics import Route, route_text

_IMAGE = re.compile(r"\d{12}\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.")


def role_elsewhere(route: Route, role: str | None, region: str) -> Iterator[tuple[Route, str]]:
    """A role of another partition than the region's. Nothing is said of a region that is not known.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html, "Each AWS account is scoped to one
    partition."
    """
    home = partition(region)
    if role is None or home is None or not role.startswith("arn:"):
        return
    named = role.split(":")[1]
    if named != home.name:
        yield route, f"{route_text(route)} is of partition {named!r}, region {region} is of {home.name!r}"


def image_elsewhere(route: Route, image: str | None, region: str) -> Iterator[tuple[Route, str]]:
    """An Amazon ECR image of another region. Nothing is said of images in other registries.

    Source: botocore's model, ContainerDefinition$Image: "must be in the same region as the model or endpoint you are
    creating"; for training the service's words, "Please provide the valid <region>.<dns-suffix>", as quoted in
    https://github.com/aws-samples/mlops-amazon-sagemaker/issues/9.
    """
    found = _IMAGE.match(image or "")
    if found and found["region"] != region:
        yield route, f"{route_text(route)} comes from {found['region']}, the request is for {region}"
