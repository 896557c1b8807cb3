"""The endpoint's instance type is not a SageMaker hosting type.

Why: SageMaker rejects an endpoint whose type is not one of its `ProductionVariantInstanceType`. EC2's names lack `ml.`,
and some types are for training only.

Example:

    deployment: {instance: {type: ml.g5.13xlarge}}

Instead:

    deployment: {instance: {type: ml.g5.12xlarge}}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Route, Severity
from hbspec.rules.rule import Rule
from hbspec.spec.instance_types import hosting_types
from hbspec.spelling import nearest

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for the types of the endpoint and of a baseline that are not on SageMaker's list."""
    types = analysis.catalog.hosting_types
    for route, name in (*hosting_types(analysis.spec), *_of_baseline(analysis)):
        if name in types:
            continue
        trains = name in analysis.catalog.training_types
        near = f"ml.{name}" if f"ml.{name}" in types else nearest(name, sorted(types))
        meant = None if trains else near
        yield RULE.at(
            route,
            f"{name} is a training type, not a hosting type" if trains else f"{name} is not a SageMaker hosting type",
            f"did you mean {meant}?" if meant else "use one of SageMaker's hosting types",
            fixes=(Fix(f"change it to {meant}", route, meant),) if meant else (),
            instead=() if meant else [row.name for row in analysis.catalog.instances.values() if row.name in types],
        )


def _of_baseline(analysis: Analysis) -> Iterator[tuple[Route, str]]:
    section = analysis.spec.deployment
    if section is not None and section.ab_test is not None and section.ab_test.instance is not None:
        yield ("deployment", "ab_test", "instance", "type"), section.ab_test.instance.type
