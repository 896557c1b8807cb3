"""Data of an evaluation are training data.

Why: A loss or a score on examples that were trained on measures memory, not skill: it falls while the model overfits,
so that the best checkpoint is the worst, and the suite passes. SageMaker reads every object whose key begins with a
channel's URI, so a prefix of the validation data that holds the training data reads them too, and the reverse.

Example:

    data: {validation: {uri: "s3://bucket/train/held-out/"}}

Instead:

    data: {validation: {uri: "s3://bucket/held-out/"}}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
    https://scikit-learn.org/stable/common_pitfalls.html#data-leakage
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Route, Severity, route_text
from hbspec.plan.training_job import evaluated_places, folder
from hbspec.rules.causes import Beside, at_its_cause
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING, beside=(Beside("HB615", at_its_cause),))
TRAIN: Route = ("data", "train", "uri")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the URIs of the validation data and of the suites with that of the training data, as text."""
    split = analysis.spec.data.train
    if split is None or split.uri is None:
        return
    train = split.uri
    for route, uri in evaluated_places(analysis.spec).items():
        if folder(uri) == folder(train):
            said = f"{route_text(route)} is data.train.uri, {uri}"
        elif uri.startswith(train):
            said = f"{route_text(route)}, {uri}, is read as training data: its keys begin with {train}"
        elif train.startswith(folder(uri)):
            said = f"{route_text(route)}, {uri}, contains the training data, {train}"
        else:
            continue
        yield RULE.at(route, said, "use data that are not trained on, in a folder of their own", cause=TRAIN)
