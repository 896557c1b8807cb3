"""The name of a bucket says another region than the job's.

Why: A training job reads and writes buckets of its own region only, and is rejected otherwise ("Your input bucket must
be in the same AWS region as your training job"). A bucket's name need not say where it is, but SageMaker's default
buckets do, and people name theirs so.

Example:

    data: {train: {uri: "s3://sagemaker-eu-west-1-111122223333/train/"}}

Instead:

    data: {train: {uri: "s3://sagemaker-us-east-1-111122223333/train/"}}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
    https://github.com/aws/amazon-sagemaker-examples/pull/2077
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity, route_text
from hbspec.plan.training_job import bucket, places_in_s3
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY)
REGION = (
    r"(?<![a-z0-9])(?:us|eu|ap|sa|ca|me|af|il|mx|cn)(?:-gov)?"
    r"-(?:north|south|east|west|central|northeast|northwest|southeast|southwest)-[1-9](?![0-9])"
)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for the job's buckets, each once; a name with the job's region, or with two regions, says nothing."""
    region = analysis.spec.instance.region
    if region is None or analysis.spec.instance.type is None:
        return
    said: set[str] = set()
    for route, uri in places_in_s3(analysis.spec).items():
        name = bucket(uri)
        if route[0] == "deployment" or name is None or name in said:
            continue
        named = set(re.findall(REGION, name))
        if len(named) == 1 and region not in named:
            said.add(name)
            yield RULE.at(
                route,
                f"{route_text(route)} is in the bucket {name}, named after {named.pop()}; the job is in {region}",
                f"use a bucket in {region}",
            )
