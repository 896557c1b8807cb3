"""A place in S3 that is none.

Why: a training job reads and writes S3 and nothing else of the author's; a path of this computer, or an https address,
is refused when the job is created.

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
from hbspec.catalog.limits import MAX_S3_URI_LENGTH
from hbspec.diagnostics import Finding, Route, Severity, route_text
from hbspec.rules.rule import Rule

JOBS_OWN = r"s3://[^/\s]+(/[^\n\r]*)?"
"""The service's pattern also takes `https`, which is for other buckets than a job's own."""

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Every S3 address of the job; hardware described by hand reads its data wherever it lies."""
    for route, uri in _addresses(analysis):
        if uri is None:
            continue
        if len(uri) > MAX_S3_URI_LENGTH:
            said = f"has {len(uri):,} characters, the limit is {MAX_S3_URI_LENGTH:,}"
            yield RULE.at(route, f"{route_text(route)} {said}", "shorten it")
        elif not re.fullmatch(JOBS_OWN, uri):
            yield RULE.at(route, f"{route_text(route)} is {uri!r}, not s3://BUCKET/KEY", "write it as s3://BUCKET/KEY")


def _addresses(analysis: Analysis) -> Iterator[tuple[Route, str | None]]:
    spec = analysis.spec
    if spec.instance.type is not None:
        for name in ("train", "validation"):
            split = getattr(spec.data, name)
            yield ("data", name, "uri"), split and split.uri
    if spec.sagemaker is not None:
        for name in ("output", "checkpoints", "code"):
            yield ("sagemaker", name), getattr(spec.sagemaker, name)
