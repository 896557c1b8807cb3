"""A variable for debugging slows every step of the training.

Why: With `NCCL_P2P_DISABLE` GPUs that NVLink connects exchange gradients through the memory of the host, at a tenth of
the speed or less; it is a remedy for machines without NVLink. `CUDA_LAUNCH_BLOCKING` waits for every kernel,
`PYTORCH_NO_CUDA_MEMORY_CACHING` asks the driver for every tensor, and `TORCH_DISTRIBUTED_DEBUG=DETAIL` compares all
collectives of all ranks. `FI_PROVIDER` tcp leaves EFA, which connects instances, unused. The predicted time and cost
know none of them.

Example:

    sagemaker: {environment: {CUDA_LAUNCH_BLOCKING: "1"}}

Instead:

    sagemaker: {environment: {}}

References:

    https://github.com/NVIDIA/nccl/issues/631
    https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/env.html
    https://docs.pytorch.org/docs/stable/torch_environment_variables.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING)
NVLINK, EFA = "NCCL_P2P_DISABLE", "FI_PROVIDER"
SLOW = {
    "CUDA_LAUNCH_BLOCKING": (("1",), "waits for every kernel"),
    "PYTORCH_NO_CUDA_MEMORY_CACHING": (("1",), "asks the driver for the memory of every tensor"),
    "TORCH_DISTRIBUTED_DEBUG": (("DETAIL",), "compares every collective of all ranks"),
    NVLINK: (("1",), "sends gradients through the memory of the host, although NVLink connects the GPUs"),
    EFA: (("TCP", "SOCKETS"), "sends gradients between the instances over TCP, although they have EFA"),
}
"""By variable: the values that slow a job down, and how."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for such variables; those of links only where the links are and carry something."""
    account, hardware = analysis.spec.sagemaker, analysis.plan.hardware
    if account is None:
        return
    row = hardware.instance if hardware is not None else None
    linked = row is not None and row.gpu_link == "nvlink"
    between = hardware is not None and hardware.instances > 1 and bool(row and row.efa_interfaces)
    needs = {NVLINK: linked and analysis.plan.way.distributed, EFA: between}
    for name, (values, how) in SLOW.items():
        value = account.environment.get(name)
        if value is None or value.upper() not in values:
            continue
        if needs.get(name, True):
            yield RULE.at(("sagemaker", "environment", name), f"{name} {value} {how}", f"delete {name}")
