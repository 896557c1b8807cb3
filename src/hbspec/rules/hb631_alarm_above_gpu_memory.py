"""`monitoring.gpu_memory.max` is not below the memory of a GPU.

Why: The alarm watches the memory in use on one GPU. At or above what the GPU has it never fires: the job runs out of
memory first. A limit for all GPUs together, or for another instance type, is the usual reason.

Example:

    monitoring: {gpu_memory: {max: 320 GB}}

Instead:

    monitoring: {gpu_memory: {max: 38 GB}}

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/training-metrics.html
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule
from hbspec.units import bytes_text

RULE = Rule(__name__, Severity.WARNING)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the limit with the larger of what PyTorch and the EC2 API say of the GPU; silent where neither does."""
    watched = analysis.spec.monitoring and analysis.spec.monitoring.gpu_memory
    hardware = analysis.plan.hardware
    if not watched or hardware is None:
        return
    memory = max(hardware.gpu.usable_bytes or 0, hardware.gpu.nominal_bytes or 0)
    if memory and watched.max >= memory:
        usable = hardware.gpu.usable_bytes or memory
        yield RULE.at(
            ("monitoring", "gpu_memory", "max"),
            f"monitoring.gpu_memory.max ({bytes_text(watched.max)}) is not below the memory of one "
            f"{hardware.gpu.name} ({bytes_text(memory)}): the alarm never fires",
            f"set monitoring.gpu_memory.max below {bytes_text(usable)}",
        )
