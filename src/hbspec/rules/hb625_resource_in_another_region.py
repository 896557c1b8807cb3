"""An image, a key or an access point is in another region than what uses it.

Why: SageMaker pulls images from registries of its own region only, and keys of KMS, access points and topics of SNS
belong to one region each, which is part of their names. The job or the endpoint is rejected, or ends when it first uses
them.

Example:

    sagemaker: {kms_key: "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"}

Instead:

    sagemaker: {kms_key: "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html
    https://github.com/ed-donner/alex/issues/30
    https://github.com/aws-samples/mlops-amazon-sagemaker/issues/9
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog.engines.images import registry_region
from hbspec.diagnostics import Finding, Route, Severity, route_text
from hbspec.plan.training_job import IN_S3, endpoint_region, places_in_s3
from hbspec.rules.rule import Rule
from hbspec.spec import Spec

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the regions in ARNs and registries with that of the job, or of the endpoint."""
    for route, text, region, user in _named(analysis.spec):
        named = registry_region(text) if route[-1] in ("image", "serving_image") else _of_arn(text)
        if named and region and named != region:
            yield RULE.at(
                route,
                f"{route_text(route)} is in {named}, but the {user} is in {region}",
                f"use one in {region}",
            )


def _of_arn(text: str) -> str | None:
    found = re.match(r"(?:s3://)?arn:aws[a-z-]*:(?:kms|s3|sns):([a-z0-9-]+):", text)
    return found[1] if found else None


def _named(spec: Spec) -> Iterator[tuple[Route, str, str | None, str]]:
    """Route, text, and the region and the name of what uses it."""
    account, served = spec.sagemaker, spec.deployment
    trains = spec.instance.region if spec.instance.type is not None else None
    serves = endpoint_region(spec)
    for route, uri in places_in_s3(spec).items():
        if uri.removeprefix(IN_S3).startswith("arn:") and route[0] != "deployment":
            yield route, uri, trains, "job"
    if account is not None:
        for name, region, user in (("image", trains, "job"), ("serving_image", serves, "endpoint")):
            if text := getattr(account, name):
                yield ("sagemaker", name), text, region, user
        if account.kms_key is not None:
            yield ("sagemaker", "kms_key"), account.kms_key, trains or serves, "job" if trains else "endpoint"
    if served is not None and served.async_inference is not None:
        for name in ("success_topic", "error_topic"):
            if text := getattr(served.async_inference, name):
                yield ("deployment", "async_inference", name), text, serves, "endpoint"
