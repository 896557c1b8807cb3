"""An instance type on which SageMaker does not host.

Why: the endpoint is refused for a name outside SageMaker's `ProductionVariantInstanceType`. EC2's names lack `ml.`, and
some types train only.

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
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.plan.serving import named_types
from hbspec.rules.rule import Rule
from hbspec.spelling import nearest

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """`deployment.instance.type` and its alternatives against the service's own list."""
    types = analysis.catalog.hosting_types
    for route, name in named_types(analysis.spec):
        if name in types:
            continue
        trains = name in analysis.catalog.training_types
        near = f"ml.{name}" if f"ml.{name}" in types else nearest(name, sorted(types))
        meant = None if trains else near
        yield RULE.at(
            route,
            f"{name} is a type to train on, none to host on" if trains else f"SageMaker hosts on no type {name}",
            f"did you mean {meant}?" if meant else "choose one of SageMaker's hosting types",
            fixes=(Fix(f"change it to {meant}", route, meant),) if meant else (),
        )
