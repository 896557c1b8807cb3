"""Rules of CreateModel and CreateEndpointConfig that are not constraints of the API model's shapes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from hbspec.catalog import limits
from hbspec.diagnostics import Route
from hbspec.targets.aws.requests.regions import image_elsewhere, role_elsewhere

Said = Iterator[tuple[Route, str]]


def shadow_variant_count(body: Mapping[str, Any]) -> Said:
    """Shadow traffic is copied from exactly one production variant to one shadow variant.

    Source: botocore's model, CreateEndpointConfigInput$ShadowProductionVariants: "you can only specify one variant for
    ProductionVariants and one variant for ShadowProductionVariants".
    """
    shadows, variants = body.get("ShadowProductionVariants", ()), body.get("ProductionVariants", ())
    if shadows and (len(shadows), len(variants)) != (1, 1):
        said = f"{len(shadows)} shadow variants and {len(variants)} production variants; only 1 of each is allowed"
        yield ("ShadowProductionVariants",), said


def variant_named_twice(body: Mapping[str, Any]) -> Said:
    """Variant names are unique: requests, metrics and scaling address a variant by its name.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-ab-testing.html: each variant is invoked and updated
    by its VariantName.
    """
    variants = [*body.get("ProductionVariants", ()), *body.get("ShadowProductionVariants", ())]
    for name, count in Counter(variant.get("VariantName") for variant in variants).items():
        if count > 1:
            yield ("ProductionVariants",), f"{count} variants are named {name!r}"


def environment_too_large(body: Mapping[str, Any]) -> Said:
    """The environment variables of all containers together have one size limit.

    Source: botocore's model, ContainerDefinition$Environment: "The maximum length of all keys and values in the map,
    combined, is 32 KB"; of several containers, "of all of their maps, combined".
    """
    maps = [container.get("Environment", {}) for _, container in _containers(body)]
    size = sum(
        len(text.encode("utf-8", "replace")) for variables in maps for pair in variables.items() for text in pair
    )
    if size > limits.MAX_MODEL_ENVIRONMENT_BYTES:
        said = f"the environment variables take {size} bytes, the limit is {limits.MAX_MODEL_ENVIRONMENT_BYTES}"
        yield ("PrimaryContainer" if "PrimaryContainer" in body else "Containers",), said


def role_in_another_partition(body: Mapping[str, Any], region: str) -> Said:
    """See `role_elsewhere`."""
    yield from role_elsewhere(("ExecutionRoleArn",), body.get("ExecutionRoleArn"), region)


def image_in_another_region(body: Mapping[str, Any], region: str) -> Said:
    """See `image_elsewhere`."""
    for route, container in _containers(body):
        yield from image_elsewhere((*route, "Image"), container.get("Image"), region)


def _containers(body: Mapping[str, Any]) -> Iterator[tuple[Route, Mapping[str, Any]]]:
    if "PrimaryContainer" in body:
        yield ("PrimaryContainer",), body["PrimaryContainer"]
    for index, container in enumerate(body.get("Containers", ())):
        yield ("Containers", index), container


MODEL_BODY_RULES = (environment_too_large,)
MODEL_REGION_RULES = (role_in_another_partition, image_in_another_region)
ENDPOINT_CONFIG_BODY_RULES = (shadow_variant_count, variant_named_twice)
ENDPOINT_CONFIG_REGION_RULES = (role_in_another_partition,)
