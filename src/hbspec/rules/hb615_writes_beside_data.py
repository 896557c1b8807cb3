"""The job writes where its data lies, or into a whole bucket.

Why: SageMaker reads every object whose key begins with a channel's address: what the job writes there, its source, its
checkpoints or its model, is data to the next run, and `s3://bucket/train` also reads `s3://bucket/train-output/`. What
is written around the data is as bad: who clears the old models away clears the data away with them. A whole bucket
is around everything that it holds. Every job writes into a folder of its own below these prefixes, so two jobs may
share them, and code and checkpoints may lie in the output.

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
from hbspec.plan.training_job import folder, read_prefixes, written_prefixes
from hbspec.rules.rule import Rule

WHOLE_BUCKET = r"s3://(?:arn:[^/\s]+:accesspoint/)?[^/\s]+/+"
"""An access point stands for its bucket."""
IN_S3 = "s3://"

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Prefixes that are written against prefixes that are read, each as S3 compares them: text from its beginning."""
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
            yield RULE.at(place, f"{route_text(place)} is a whole bucket, {prefix}", f"name a folder, {prefix}jobs/")
        elif around:
            said_of = f"{route_text(place)}, {prefix}, contains {_listed(around)}, {data[around[0]]}"
            yield RULE.at(place, said_of, "name a prefix without data below it")


def _of_bucket(uri: str) -> str:
    """The name of a bucket ends at a slash, written or not: `s3://data` reads nothing of `s3://data-models/`."""
    return folder(uri) if "/" not in uri.removeprefix(IN_S3) else uri


def _read(route: Route, uri: str, inside: Sequence[Route]) -> Finding:
    """What is written inside data; said of what is written if that is one thing, else of the address that reads it."""
    message = f"{route_text(route)} reads every key that begins with {uri}, and {_listed(inside)} writes there"
    if len(inside) == 1:
        return RULE.at(inside[0], message, f"name a prefix that does not begin with {uri}")
    return RULE.at(route, message, "name a folder that holds the data alone, and end it with a slash")


def _listed(routes: Sequence[Route]) -> str:
    return " and ".join(route_text(route) for route in routes)
