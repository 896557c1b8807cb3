"""The endpoint computes in a different 16-bit format from training.

Why: The largest float16 number is 65,504. Activations of a model trained in bfloat16 can exceed it, and answers then
turn into repetitions or nothing. The other way round, three bits of precision are lost.

Example:

    hyperparameters: {bf16: true}
    deployment: {dtype: float16}

Instead:

    hyperparameters: {bf16: true}
    deployment: {dtype: bfloat16}

References:

    https://huggingface.co/docs/transformers/model_doc/t5
    https://github.com/huggingface/transformers/pull/10956
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Fix, Severity
from hbspec.plan.serving import with_each_instance
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING)


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding where the given dtype is not that of training, unless the endpoint's GPU lacks bfloat16.

    Alternatives are named where the first choice computes in the dtype of training, and they do not.
    """
    section = analysis.spec.deployment
    trained = analysis.plan.training.compute_dtype
    if section is None or trained == "float32":
        return
    plan = analysis.serving_plan
    if section.dtype is None and plan.dtype == trained:
        yield from _alternatives(analysis, trained)
    machine = plan.hardware
    if section.dtype in (None, trained):
        return
    if trained == "bfloat16" and machine is not None and machine.gpu.bf16 is False:
        return
    route = ("deployment", "dtype")
    yield RULE.at(
        route,
        f"deployment.dtype is {section.dtype}, but the model is trained in {trained}",
        f"set deployment.dtype to {trained}",
        confidence=Confidence.LIKELY,
        fixes=(Fix(f"set deployment.dtype to {trained}", route, trained),),
    )


def _alternatives(analysis: Analysis, trained: str) -> Iterator[Finding]:
    for route, machine, other in with_each_instance(analysis.serving_plan, analysis.catalog, analysis.spec):
        if other.dtype != trained:
            yield RULE.at(
                route,
                f"the {machine.gpu.name} of {machine.name} computes in {other.dtype}, but the model is trained in "
                f"{trained}",
                f"remove {machine.name} from the alternatives",
                confidence=Confidence.LIKELY,
            )
