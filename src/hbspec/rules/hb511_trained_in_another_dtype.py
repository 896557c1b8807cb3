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
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING)


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding where the given dtype is not that of training, unless the endpoint's GPU lacks bfloat16."""
    section = analysis.spec.deployment
    trained = analysis.plan.training.compute_dtype
    if section is None or section.dtype is None or trained == "float32" or section.dtype == trained:
        return
    machine = analysis.serving_plan.hardware
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
