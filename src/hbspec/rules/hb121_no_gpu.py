"""The instance type has no GPU.

Why: The compiled training job runs on NVIDIA GPUs. On a CPU it would take months, and Trainium and Inferentia need
another toolchain (Neuron) and another script.

Example:

    instance: {type: ml.trn1.32xlarge}

Instead:

    instance: {type: ml.p4d.24xlarge}

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/notebooks-available-instance-types.html
    https://awsdocs-neuron.readthedocs-hosted.com/
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule
from hbspec.spec.instance_types import training_types

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find training types whose row in the catalog has no GPU, or that have no row."""
    catalog = analysis.catalog
    for route, name in training_types(analysis.spec):
        row = catalog.instances.get(name)
        if name in catalog.training_types and (row is None or not row.gpus):
            has = f" ({row.note.partition(';')[0]})" if row and row.accelerator == "neuron" else ""
            yield RULE.at(route, f"{name} has no GPU{has}", "use a GPU instance type (ml.g… or ml.p…)")
