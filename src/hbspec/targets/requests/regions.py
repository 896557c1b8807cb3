"""What a region decides: its partition, and with it which roles and which images a request there may name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hbspec.diagnostics import Route, route_text

_IMAGE = re.compile(r"\d{12}\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.")


@dataclass(frozen=True, slots=True)
class Partition:
    """One of AWS's separate clouds: its name in ARNs, the pattern of its regions' names, its hosts' domain."""

    name: str
    regions: str
    domain: str


# botocore 1.44.5, data/partitions.json: id, regionRegex, dnsSuffix; checked 2026-11-22.
PARTITIONS = (
    Partition("aws", r"^(us|eu|ap|sa|ca|me|af|il|mx)\-\w+\-\d+$", "amazonaws.com"),
    Partition("aws-cn", r"^cn\-\w+\-\d+$", "amazonaws.com.cn"),
    Partition("aws-eusc", r"^eusc\-(de)\-\w+\-\d+$", "amazonaws.eu"),
    Partition("aws-iso", r"^us\-iso\-\w+\-\d+$", "c2s.ic.gov"),
    Partition("aws-iso-b", r"^us\-isob\-\w+\-\d+$", "sc2s.sgov.gov"),
    Partition("aws-iso-e", r"^eu\-isoe\-\w+\-\d+$", "cloud.adc-e.uk"),
    Partition("aws-iso-f", r"^us\-isof\-\w+\-\d+$", "csp.hci.ic.gov"),
    Partition("aws-us-gov", r"^us\-gov\-\w+\-\d+$", "amazonaws.com"),
)


def partition(region: str) -> Partition | None:
    """The partition of a region, None where its name is like no region's.

    >>> [partition(region) and partition(region).name for region in ("ca-central-1", "us-gov-west-1", "moon-1")]
    ['aws', 'aws-us-gov', None]
    """
    return next((known for known in PARTITIONS if re.match(known.regions, region)), None)


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
