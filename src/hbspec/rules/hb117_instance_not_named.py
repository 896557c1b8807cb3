"""No hardware, or two kinds of it.

Why: memory, time and money follow from the hardware. `type` names an instance of the catalog, `gpu` describes a machine
of one's own; with neither nothing can be judged, and with both it is not known which is meant.

Example:

    instance: {type: ml.p4d.24xlarge, gpu: A100-40}

Instead:

    instance: {type: ml.p4d.24xlarge}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Route, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """`type` and `gpu` of the job's instance and of the endpoint's."""
    spec = analysis.spec
    yield from _judge(("instance",), spec.instance.type, spec.instance.gpu)
    if spec.deployment:
        where = spec.deployment.instance
        yield from _judge(("deployment", "instance"), where.type, where.gpu)


def _judge(route: Route, instance_type: str | None, gpu: str | None) -> Iterator[Finding]:
    if instance_type and gpu:
        yield RULE.at(
            (*route, "gpu"),
            f"both type {instance_type} and gpu {gpu} are given",
            "delete gpu, or type for a machine outside SageMaker",
        )
    if not instance_type and not gpu:
        yield RULE.at(route, "neither a type nor a gpu is given", "add type: ml.…, or gpu: for a machine of your own")
