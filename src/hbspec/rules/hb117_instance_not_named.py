"""The spec names no hardware, or both an instance type and a GPU.

Why: Memory, time and cost depend on the hardware. `type` names an instance type in the catalog, `gpu` describes the
author's own machine. With neither, nothing can be checked; with both, it is unclear which one is meant.

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
    """Find `type` and `gpu` both set or both missing, for the job's instance and the endpoint's."""
    spec = analysis.spec
    foreign = analysis.document.translated is not None
    yield from _judge(("instance",), spec.instance.type, spec.instance.gpu, foreign=foreign)
    if spec.deployment:
        where = spec.deployment.instance
        yield from _judge(("deployment", "instance"), where.type, where.gpu)


def _judge(route: Route, instance_type: str | None, gpu: str | None, *, foreign: bool = False) -> Iterator[Finding]:
    if instance_type and gpu:
        yield RULE.at(
            (*route, "gpu"),
            f"type ({instance_type}) and gpu ({gpu}) are both set",
            "delete one: gpu to run on SageMaker, type to run on your own machine",
        )
    if not instance_type and not gpu:
        action = "set type to an instance type, such as ml.g5.2xlarge, or gpu to the GPU of your own machine"
        message = "neither type nor gpu is set"
        if foreign:
            message, action = "the file names no hardware", "name it with --on, as in --on ml.g5.12xlarge or --on L4x2"
        yield RULE.at(route, message, action)
