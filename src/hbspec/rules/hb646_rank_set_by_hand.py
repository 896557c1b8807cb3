"""A variable of the launcher is set by hand.

Why: The launcher gives each process its rank, the number of processes and the address of the first host. A value in the
environment is the same for all processes: the launcher overwrites it, or, where one process runs without a launcher,
the process waits for others that never come until the timeout of half an hour.

Example:

    sagemaker: {environment: {WORLD_SIZE: "8"}}

Instead:

    sagemaker: {environment: {}}

References:

    https://docs.pytorch.org/docs/stable/elastic/run.html
    https://github.com/huggingface/finetrainers/issues/315
    https://github.com/pytorch/examples/issues/458
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING)
OF_THE_LAUNCHER = (
    *("WORLD_SIZE", "RANK", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "GROUP_WORLD_SIZE", "ROLE_RANK"),
    *("ROLE_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "NODE_RANK", "NPROC_PER_NODE", "NNODES"),
)


def check(analysis: Analysis) -> Iterator[Finding]:
    """One finding for all such variables, at the first."""
    account = analysis.spec.sagemaker
    given = [name for name in (account.environment if account else ()) if name in OF_THE_LAUNCHER]
    if given:
        way = analysis.plan.way
        effect = (
            "the launcher sets it for each process"
            if way.distributed
            else f"parallelism: {way.name} runs one process, which waits for others"
        )
        yield RULE.at(
            ("sagemaker", "environment", given[0]),
            f"{' and '.join(given)} {'are' if len(given) > 1 else 'is'} set by hand, but {effect}",
            f"delete {' and '.join(given)}",
        )
