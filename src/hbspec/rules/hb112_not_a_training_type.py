"""SageMaker does not train on the instance type.

Why: SageMaker rejects a request whose type is not in its `TrainingInstanceType` list. EC2's names lack the prefix
`ml.`, and some types exist for endpoints or clusters only.

Example:

    instance: {type: p4d.24xlarge}

Instead:

    instance: {type: ml.p4d.24xlarge}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog import Catalog
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.rule import Rule
from hbspec.spec.instance_types import training_types
from hbspec.spelling import nearest

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Look up `instance.type` and `instance.alternatives` in SageMaker's list of training types."""
    types = analysis.catalog.training_types
    for route, name in training_types(analysis.spec):
        if name not in types:
            exists = name in analysis.catalog.hosting_types or name in analysis.catalog.instances
            meant = f"ml.{name}" if f"ml.{name}" in types else None if exists else nearest(name, sorted(types))
            yield RULE.at(
                route,
                f"{name} is an instance type, but SageMaker does not train on it"
                if exists
                else f"{name} is not a training type{_ml(name)}",
                f"did you mean {meant}?" if meant else "use one of SageMaker's training types",
                fixes=(Fix(f"change it to {meant}", route, meant),) if meant else (),
                instead=() if meant else _with_gpus(analysis.catalog),
            )


def _with_gpus(catalog: Catalog) -> list[str]:
    """All training types with a GPU, since nothing says which one is meant."""
    return [row.name for row in catalog.instances.values() if row.training and row.gpus]


def _ml(name: str) -> str:
    return "" if name.startswith("ml.") else ": SageMaker's types begin with `ml.`"
