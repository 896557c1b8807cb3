"""The copy of the model is below the data.

Why: SageMaker downloads every object whose key begins with a channel's URI: the weights, which may be hundreds of
gigabytes, are downloaded once as the model and once more as data that nobody reads, and may fill the disk.

Example:

    model: {source: "s3://bucket/train/model/"}

Instead:

    model: {source: "s3://bucket/model/"}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-prefixes.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Route, Severity, route_text
from hbspec.plan.training_job import IN_S3, read_prefixes
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING)
SOURCE: Route = ("model", "source")


def check(analysis: Analysis) -> Iterator[Finding]:
    """One finding where the URI of a split, without a final slash or with one, begins that of the model's copy."""
    places = read_prefixes(analysis.spec)
    source = places.pop(SOURCE, None)
    for route, uri in places.items():
        if source is not None and uri.startswith(IN_S3) and source.startswith(uri):
            yield RULE.at(
                SOURCE,
                f"model.source, {source}, is read as data too: its keys begin with {route_text(route)}, {uri}",
                "move the copy of the model, or the data, to a folder of its own",
            )
            return
