"""An address is not a valid S3 URI.

Why: A training job reads and writes your files in S3 only; SageMaker rejects a local path or an https address when the
job is created.

Example:

    sagemaker: {output: ./models}

Instead:

    sagemaker: {output: "s3://bucket/models/"}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_OutputDataConfig.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog.limits import MAX_CAPTURE_URI_LENGTH, MAX_S3_URI_LENGTH
from hbspec.diagnostics import Finding, Route, Severity, route_text
from hbspec.plan.training_job import ANSWERS
from hbspec.rules.rule import Rule

JOBS_OWN = r"s3://[^/\s]+(/[^\n\r]*)?"
"""SageMaker's pattern also matches `https`, which is not for the buckets of a job."""

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for every S3 address; a machine without an instance type may read its data from anywhere."""
    for route, uri in _addresses(analysis):
        if uri is None:
            continue
        longest = MAX_CAPTURE_URI_LENGTH if "data_capture" in route else MAX_S3_URI_LENGTH
        if len(uri) > longest:
            said = f"has {len(uri):,} characters; SageMaker's limit is {longest:,}"
            yield RULE.at(route, f"{route_text(route)} {said}", "shorten it")
        elif not re.fullmatch(JOBS_OWN, uri):
            yield RULE.at(route, f"{route_text(route)} is {uri!r}, not an S3 URI", "write it as s3://BUCKET/KEY")


def _addresses(analysis: Analysis) -> Iterator[tuple[Route, str | None]]:
    spec = analysis.spec
    yield ("model", "source"), spec.model.source
    if spec.instance.type is not None:
        for name in ("train", "validation"):
            split = getattr(spec.data, name)
            yield ("data", name, "uri"), split and split.uri
    if spec.sagemaker is not None:
        for name in ("output", "checkpoints", "code"):
            yield ("sagemaker", name), getattr(spec.sagemaker, name)
    if spec.deployment is not None and spec.deployment.data_capture is not None:
        yield ("deployment", "data_capture", "uri"), spec.deployment.data_capture.uri
    if spec.deployment is not None and spec.deployment.async_inference is not None:
        for name in ANSWERS:
            yield ("deployment", "async_inference", name), getattr(spec.deployment.async_inference, name)
