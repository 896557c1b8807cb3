"""`count` is above 1, but the `parallelism` does not connect the instances.

Why: `single` and `pipeline` start one process on each instance, and the processes are independent: every instance
trains the whole job alone, and all of them write the same checkpoints and the same model.

Example:

    model: {id: Qwen/Qwen2.5-7B}
    instance: {type: ml.g5.2xlarge, count: 2, parallelism: single}

Instead:

    model: {id: Qwen/Qwen2.5-7B}
    instance: {type: ml.g5.2xlarge, count: 2, parallelism: ddp}

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/distributed-training.html
    https://github.com/aws/amazon-sagemaker-examples/issues/1409
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.analysis.processes import that_hold_it
from hbspec.diagnostics import Finding, Severity
from hbspec.plan.parallelism import ADVISED, PARALLELISMS
from hbspec.rules.fitting import Predicate
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find a count above one with a parallelism that starts one process."""
    instance = analysis.spec.instance
    if instance.count > 1 and not PARALLELISMS[instance.parallelism].distributed:
        yield RULE.at(
            ("instance", "count"),
            f"count is {instance.count}, but parallelism: {instance.parallelism} starts one process on each instance: "
            f"each trains the whole job alone, at {instance.count} times the cost",
            _action(analysis, ADVISED),
        )


def advise(analysis: Analysis, _: Predicate) -> str:
    """A parallelism that uses every GPU, if the job is certain to fit so, or a single instance."""
    return _action(analysis, that_hold_it(analysis))


def _action(analysis: Analysis, under: tuple[str, ...]) -> str:
    """The change that uses every GPU; a single instance suffices only where it has one GPU."""
    machine, holding = analysis.plan.hardware, " or ".join(under)
    if holding and machine is not None and machine.gpus_per_instance > 1:
        return f"use parallelism: {holding} to connect the instances and use every GPU"
    return f"use count: 1, or parallelism: {holding} to connect the instances" if holding else "use count: 1"
