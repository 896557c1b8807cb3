"""`volume` is set for an instance type that uses local NVMe instead.

Why: SageMaker attaches no EBS volume to these types: data, checkpoints and model are stored on the local disks,
whatever `VolumeSizeInGB` says. The size that was chosen is not the size available.

Example:

    instance: {type: ml.p4d.24xlarge, volume: 500 GB}

Instead:

    instance: {type: ml.p4d.24xlarge}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html
    https://github.com/aws/amazon-sagemaker-examples/issues/3478
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.rule import Rule
from hbspec.units import bytes_text

RULE = Rule(__name__, Severity.WARNING)
ROUTE = ("instance", "volume")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find `instance.volume` where the catalog says that the type has NVMe."""
    section = analysis.spec.instance
    row = analysis.catalog.instances.get(section.type or "")
    if section.volume and row and row.nvme_bytes:
        yield RULE.at(
            ROUTE,
            f"volume {bytes_text(section.volume)} has no effect: {row.name} uses its "
            f"{bytes_text(row.nvme_bytes)} of NVMe instead",
            "delete volume",
            fixes=(Fix("delete it", ROUTE, safe=True),),
        )
