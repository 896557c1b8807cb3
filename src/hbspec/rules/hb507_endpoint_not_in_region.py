"""The endpoint's instance type is not offered in its region.

Why: SageMaker does not offer what EC2 does not offer in a region: the endpoint never starts, and an alternative cannot
be used.

Example:

    deployment: {instance: {type: ml.g6e.12xlarge}, region: ca-central-1}

Instead:

    deployment: {instance: {type: ml.g6e.12xlarge}, region: us-east-1}

References:

    https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-regions.html
    https://github.com/aws/amazon-sagemaker-examples/issues/1001
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule
from hbspec.spec.instance_types import hosting_types

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for types that the region lacks: an error, a warning for alternatives, a note where it is not known."""
    if analysis.spec.deployment is None:
        return
    catalog, region = analysis.catalog, analysis.serving_plan.region
    if region not in catalog.regions:
        return
    for route, name in hosting_types(analysis.spec):
        row = catalog.instances.get(name)
        if row is not None and row.regions is None:
            yield RULE.at(
                route,
                f"it is not known whether {name} is offered in {region}",
                "look it up before you rely on the type",
                severity=Severity.NOTE,
            )
        elif row is not None and row.regions is not None and region not in row.regions:
            yield RULE.at(
                route,
                f"{name} is not offered in {region}",
                f"use another type, or one of the regions {', '.join(row.regions)}",
                severity=Severity.WARNING if "alternatives" in route else Severity.ERROR,
            )
