"""The job writes to the prefix of its data, or to a whole bucket.

Why: SageMaker reads every object whose key begins with a channel's URI. Source, checkpoints or models that the job
writes there are read as data by the next run, and `s3://bucket/train` also reads `s3://bucket/train-output/`. Writing
to a prefix that contains the data is as bad: deleting old models deletes the data too. A whole bucket contains all of
its data. Every job writes to its own folder below these prefixes, so two jobs may share them, and code and checkpoints
may be below the output.

Example:

    sagemaker: {checkpoints: "s3://bucket/train/checkpoints/"}

Instead:

    sagemaker: {checkpoints: "s3://bucket/checkpoints/"}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-prefixes.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Route, Severity, route_text
from hbspec.plan.training_job import IN_S3, folder, read_prefixes, written_prefixes
from hbspec.rules.rule import Rule

WHOLE_BUCKET = r"s3://(?:arn:[^/\s]+:accesspoint/)?[^/\s]+/+"
"""An access point stands for its bucket."""

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings where a written prefix begins with a read one or the reverse, as text, which is how S3 compares them."""
    data = {route: _of_bucket(uri) for route, uri in read_prefixes(analysis.spec).items() if uri.startswith(IN_S3)}
    written = written_prefixes(analysis.spec)
    said: set[tuple[Route, ...]] = set()
    for route, uri in data.items():
        inside = tuple(place for place, prefix in written.items() if prefix.startswith(uri))
        if inside and inside not in said:
            said.add(inside)
            yield _read(route, uri, inside)
    for place, prefix in written.items():
        around = [route for route, uri in data.items() if uri.startswith(prefix) and not prefix.startswith(uri)]
        if re.fullmatch(WHOLE_BUCKET, prefix):
            yield RULE.at(
                place, f"{route_text(place)} is a whole bucket, {prefix}", f"use a folder, such as {prefix}jobs/"
            )
        elif around:
            said_of = f"{route_text(place)}, {prefix}, contains {_listed(around)}, {data[around[0]]}"
            yield RULE.at(place, said_of, "use a prefix without data below it")


def _of_bucket(uri: str) -> str:
    """The name of a bucket ends at a slash, written or not: `s3://data` reads nothing of `s3://data-models/`."""
    return folder(uri) if "/" not in uri.removeprefix(IN_S3) else uri


def _read(route: Route, uri: str, inside: Sequence[Route]) -> Finding:
    """A finding about writing inside data, at the written prefix if it is the only one, else at the data's URI."""
    message = f"{route_text(route)} reads every key that begins with {uri}, but {_listed(inside)} writes there"
    if len(inside) == 1:
        return RULE.at(inside[0], message, f"use a prefix that does not begin with {uri}")
    return RULE.at(route, message, "use a folder with nothing but the data, and end its URI with a slash")


def _listed(routes: Sequence[Route]) -> str:
    return " and ".join(route_text(route) for route in routes)
