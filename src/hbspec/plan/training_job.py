"""The name of a SageMaker training job, and the prefixes that it reads and writes.

The job's name is the author's name, a digest of the job, and from the second attempt on the attempt's number:
`bot-0a1b2c3d4e5f`, `bot-0a1b2c3d4e5f-2`. Below each prefix that the author gives, a job writes only into a folder of
that name, so that two jobs never share source or checkpoints.
"""

from __future__ import annotations

from hashlib import sha256

from hbspec.catalog.limits import MAX_HOSTING_NAME_LENGTH, MAX_TRAINING_JOB_NAME_LENGTH
from hbspec.diagnostics import Route
from hbspec.spec import Spec

DIGEST_LENGTH = 12
"""Hexadecimal digits: 48 bits, so that among a million jobs of one name the chance of a collision is 1 in 560."""

LAST_ATTEMPT = 999

ADDED_LENGTH = len("-") + DIGEST_LENGTH + len(f"-{LAST_ATTEMPT}")
"""Characters that a training job's name adds to the author's name."""

LONGEST_NAME = MAX_TRAINING_JOB_NAME_LENGTH - ADDED_LENGTH
"""The largest length of the author's name, in characters."""

LONGEST_ENDPOINT_NAME = MAX_HOSTING_NAME_LENGTH - len("-") - DIGEST_LENGTH
"""The same of an endpoint: its model and its configuration have its name and a digest."""

LONGEST_TEST_NAME = LONGEST_ENDPOINT_NAME - len("-ab0123")
"""The same of an A/B test, whose deployment has a suffix of its own."""

IN_S3 = "s3://"

ANSWERS = ("output", "failures")
"""Keys of `deployment.async_inference` that name a prefix."""


def deployment_of_test(name: str, endpoint: str) -> str:
    """The name of the deployment of an A/B test: another one for each live endpoint that it joins.

    So the tear-down of one test never takes what another one, or the baseline, needs for its own.
    """
    return f"{name}-ab{sha256(endpoint.encode()).hexdigest()[:4]}"


def author_name(spec: Spec) -> str:
    """The name that the digest is added to."""
    return (spec.sagemaker and spec.sagemaker.job_name) or spec.name


def read_prefixes(spec: Spec) -> dict[Route, str]:
    """The prefixes of the data and of the model's copy by route.

    SageMaker reads every object whose key begins with a prefix of the data (`S3Prefix`); the copy is a folder.
    """
    splits = {"train": spec.data.train, "validation": spec.data.validation}
    read: dict[Route, str] = {("data", name, "uri"): split.uri for name, split in splits.items() if split and split.uri}
    if spec.model.source:
        read["model", "source"] = folder(spec.model.source)
    if spec.shipped and (spec.model.adapter or "").startswith(IN_S3):
        read["model", "adapter"] = folder(str(spec.model.adapter))
    return read


def written_prefixes(spec: Spec) -> dict[Route, str]:
    """The folder of everything that the job and its endpoint write; unnamed folders lie below the output."""
    section, served = spec.sagemaker, spec.deployment
    named: dict[Route, str | None] = {}
    if section is not None:
        named |= {("sagemaker", name): getattr(section, name) for name in ("output", "checkpoints", "code")}
    if served is not None and served.data_capture is not None:
        named["deployment", "data_capture", "uri"] = served.data_capture.uri
    if served is not None and served.async_inference is not None:
        named |= {("deployment", "async_inference", name): getattr(served.async_inference, name) for name in ANSWERS}
    return {route: folder(uri) for route, uri in named.items() if uri}


def evaluated_places(spec: Spec) -> dict[Route, str]:
    """The S3 URIs of the validation data and of the suites' cases by route."""
    split = spec.data.validation
    named: dict[Route, str | None] = {("data", "validation", "uri"): split.uri if split else None}
    named |= {("evaluation", index, "data"): suite.data for index, suite in enumerate(spec.evaluation)}
    return {route: uri for route, uri in named.items() if uri is not None and uri.startswith(IN_S3)}


def places_in_s3(spec: Spec) -> dict[Route, str]:
    """Every S3 URI that the job and its endpoint read or write, by route, as the author wrote it."""
    places = read_prefixes(spec) | evaluated_places(spec) | written_prefixes(spec)
    return {route: uri for route, uri in places.items() if uri.startswith(IN_S3)}


def bucket(uri: str) -> str | None:
    """The bucket of an S3 URI; None for an access point, and where there is none.

    >>> bucket("s3://data/train/"), bucket("s3://arn:aws:s3:us-east-1:111122223333:accesspoint/data/train/")
    ('data', None)
    """
    name = uri.removeprefix(IN_S3).partition("/")[0]
    return None if name.startswith("arn:") or len(name.split()) != 1 else name


def endpoint_region(spec: Spec) -> str | None:
    """The region of the endpoint: its own, or else the job's; None without an endpoint on SageMaker."""
    if spec.deployment is None or spec.deployment.instance.type is None:
        return None
    return spec.deployment.region or spec.instance.region


def writes_whole_weights(spec: Spec) -> bool:
    """Whether the job's model is all weights, rather than adapters beside a base model."""
    merged = spec.deployment is not None and spec.deployment.adapters == "merged"
    return merged or spec.hyperparameters.method == "full"


def folder(uri: str) -> str:
    """The URI with a final slash, otherwise unchanged: S3 takes `//`, `..` and case literally."""
    return uri if uri.endswith("/") else f"{uri}/"
