"""The endpoint's instance has no GPU.

Why: The endpoint's containers serve on NVIDIA GPUs; on an instance without one the engine does not start.

Example:

    deployment: {instance: {type: ml.c5.4xlarge}, tensor_parallel: null}

Instead:

    deployment: {instance: {type: ml.g5.12xlarge}}

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/large-model-inference-container-docs.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule
from hbspec.spec.instance_types import hosting_types

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for hosting types without a GPU in the catalog; every type with one has a row there."""
    catalog = analysis.catalog
    for route, name in hosting_types(analysis.spec):
        row = catalog.instances.get(name)
        if name in catalog.hosting_types and (row is None or not row.gpus):
            yield RULE.at(route, f"{name} has no GPU", "use a GPU instance type, such as ml.g5.12xlarge")
