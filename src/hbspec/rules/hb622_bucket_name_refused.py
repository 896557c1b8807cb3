"""The name of a bucket is not one that S3 allows.

Why: A bucket's name is 3 to 63 lower-case letters, digits, dots and hyphens, and begins and ends with a letter or a
digit. SageMaker finds no bucket under any other name: a placeholder that was left, a variable that nobody expands, the
host of a bucket instead of its name. In us-east-1 buckets made before March 2018 may have capital letters and
underscores, so that such a name is only a warning there.

Example:

    data: {train: {uri: "s3://Your-Bucket!/train/"}}

Instead:

    data: {train: {uri: "s3://your-bucket/train/"}}

References:

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog.buckets import may_be_old, why_refused
from hbspec.diagnostics import Confidence, Finding, Severity, route_text
from hbspec.plan.training_job import IN_S3, bucket, places_in_s3
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
HOST = r".+\.s3[.-].*amazonaws\.com(?:\.cn)?"


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for the buckets of all S3 addresses of the spec, each bucket once; access points are not judged."""
    said: set[str] = set()
    for route, uri in places_in_s3(analysis.spec).items():
        name = bucket(uri)
        if name is None or name in said:
            continue
        wrong, severity = _judged(name, analysis.spec.instance.region)
        if wrong:
            said.add(name)
            yield RULE.at(
                route,
                f"{route_text(route)} names the bucket {name!r}, {wrong}",
                f"write the name of your bucket after {IN_S3}",
                severity=severity,
                confidence=Confidence.CERTAIN if severity is Severity.ERROR else Confidence.LIKELY,
            )


def _judged(name: str, region: str | None) -> tuple[str, Severity]:
    """What is wrong with a name, and how sure that is; an empty text where nothing is."""
    if re.fullmatch(HOST, name):
        return "which is the host of a bucket, not its name", Severity.WARNING
    return why_refused(name), Severity.WARNING if may_be_old(name, region) else Severity.ERROR
