"""A variable keeps the instances of a job from reaching each other.

Why: NCCL exchanges gradients over the network interface that `NCCL_SOCKET_IFNAME` names. The loopback interface and the
bridge of Docker end inside an instance: the processes of several instances wait for each other until the timeout of
half an hour, and the job fails.

Example:

    instance: {count: 2}
    sagemaker: {environment: {NCCL_SOCKET_IFNAME: lo}}

Instead:

    instance: {count: 2}
    sagemaker: {environment: {NCCL_SOCKET_IFNAME: eth0}}

References:

    https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/env.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
VARIABLES = ("NCCL_SOCKET_IFNAME", "GLOO_SOCKET_IFNAME")
INSIDE = ("lo", "docker", "docker0")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for interfaces inside an instance, in jobs of several; `^lo` leaves an interface out and is right."""
    account = analysis.spec.sagemaker
    if account is None or analysis.spec.instance.count < 2:
        return
    for name in VARIABLES:
        value = account.environment.get(name)
        if value is not None and value.removeprefix("=") in INSIDE:
            count = analysis.spec.instance.count
            yield RULE.at(
                ("sagemaker", "environment", name),
                f"{name} {value} ends inside an instance, but the job has {count} instances",
                f"delete {name}",
            )
