"""An S3 URI holds a wildcard, which S3 takes literally.

Why: A prefix is compared with keys letter by letter: `*`, `?`, `[` and `{` are letters of a key like any other. Data at
such a prefix are not found, and the job stops after its instance was started; results lie in a folder of that name,
which no shell or listing finds without quotes.

Example:

    data: {train: {uri: "s3://bucket/train/*.jsonl"}}

Instead:

    data: {train: {uri: "s3://bucket/train/"}}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity, route_text
from hbspec.plan.training_job import IN_S3, read_prefixes, written_prefixes
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING)
WILDCARDS = "*?[{"


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for prefixes, read or written, whose key has a character that only shells expand."""
    for route, uri in {**read_prefixes(analysis.spec), **written_prefixes(analysis.spec)}.items():
        key = uri.find("/", len(IN_S3))
        at = min((found for sign in WILDCARDS if (found := uri.find(sign, key)) > 0), default=-1)
        if at >= 0 and uri.startswith(IN_S3) and key > 0:
            folder = f"{uri[:at].rpartition('/')[0]}/"
            yield RULE.at(
                route,
                f"{route_text(route)} holds {uri[at]!r}, but S3 does not expand wildcards: it is a part of the key",
                f"name the prefix: {folder}",
                instead=(folder,),
            )
