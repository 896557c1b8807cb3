"""`parallelism: single` uses one GPU of an instance that has several.

Why: `parallelism: single` starts one process, and a process without a device map computes on one GPU, while the whole
instance is billed. One process per GPU does the same training in a fraction of the time.

Example:

    instance: {type: ml.p4d.24xlarge, parallelism: single}

Instead:

    instance: {type: ml.p4d.24xlarge, parallelism: ddp}

References:

    https://github.com/aws/amazon-sagemaker-examples/issues/1246
    https://github.com/aws/sagemaker-python-sdk/issues/1110
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.analysis.processes import that_hold_it
from hbspec.diagnostics import Finding, Severity
from hbspec.plan.parallelism import ADVISED
from hbspec.rules.causes import Beside
from hbspec.rules.every_gpu import NO_ROOM, divides, on_every_gpu
from hbspec.rules.fitting import Predicate
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING, beside=(Beside("HB105"),))


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find `single` on an instance with more than one GPU."""
    plan = analysis.plan
    if not plan.way.uses_one_gpu:
        return
    machine = plan.require("hardware")
    gpus = machine.gpus_per_instance
    if gpus > 1:
        yield RULE.at(
            ("instance", "parallelism"),
            f"parallelism: {plan.parallelism} uses 1 of the {gpus} GPUs of {machine.name}: "
            f"{gpus - 1} are paid for and idle",
            _action(analysis, ADVISED),
        )


def advise(analysis: Analysis, _: Predicate) -> str:
    """One process for each GPU if the job is certain to fit so, or a type with one GPU."""
    return _action(analysis, that_hold_it(analysis))


def _action(analysis: Analysis, holding: tuple[str, ...]) -> str:
    """The change to the same updates on all GPUs if they can be divided, else to a type with one such GPU."""
    plan, machine = analysis.plan, analysis.plan.require("hardware")
    gpus = machine.gpus_per_instance
    if holding and divides(plan, gpus):
        return on_every_gpu(plan, gpus, holding[0])
    alone = [
        instance
        for instance in analysis.catalog.instances.values()
        if instance.training and instance.gpu == machine.gpu.name and instance.gpus == 1
    ]
    if machine.instance and alone:
        name = min(alone, key=lambda instance: instance.vcpus).name
        return f"set instance.type to {name}, which has one {machine.gpu.name}"
    return on_every_gpu(plan, gpus, holding[0]) if holding else NO_ROOM
