"""A volume for an instance type that has local NVMe.

Why: SageMaker gives these types no EBS volume: data, checkpoints and model lie on the local disks, whatever
`VolumeSizeInGB` says. A size that was chosen with care is not the size that there is.

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
    """`instance.volume` where the catalog says that the type has NVMe."""
    section = analysis.spec.instance
    row = analysis.catalog.instances.get(section.type or "")
    if section.volume and row and row.nvme_bytes:
        yield RULE.at(
            ROUTE,
            f"volume {bytes_text(section.volume)} has no effect: {row.name} has {bytes_text(row.nvme_bytes)} of NVMe "
            "instead",
            "delete volume",
            fixes=(Fix("delete it", ROUTE),),
        )
