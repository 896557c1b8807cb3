"""The instance type is not offered in the region.

Why: The job is rejected, or waits for capacity that never comes. A type that EC2 does not offer in a region is not
offered by SageMaker either, and some that EC2 offers may still be missing. An alternative that is not offered cannot be
used.

Example:

    instance: {type: ml.p4de.24xlarge, region: ca-central-1}
    deployment: null

Instead:

    instance: {type: ml.p4de.24xlarge, region: us-east-1}

References:

    https://github.com/aws/amazon-sagemaker-examples/issues/1001
    https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-regions.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, NotKnownError, Severity
from hbspec.rules.rule import Rule
from hbspec.spec.instance_types import TYPE, training_types

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find types not offered: `instance.type` is an error, an alternative a warning; HB122 judges unknown regions."""
    region, catalog = analysis.spec.instance.region, analysis.catalog
    if region is None or region not in catalog.regions:
        return
    unknown: list[str] = []
    for route, name in training_types(analysis.spec):
        row = catalog.instances.get(name)
        if row is None:
            continue
        if row.regions is None:
            unknown.append(name)
        elif region not in row.regions:
            yield RULE.at(
                route,
                f"{name} is not offered in {region}",
                f"use one of its regions, {', '.join(row.regions)}, or another instance type",
                severity=Severity.ERROR if route == TYPE else Severity.WARNING,
            )
    if unknown:
        raise NotKnownError(f"where {', '.join(unknown)} is offered")
