"""Adapters are trained on 4-bit weights, but served on weights quantised by another method.

Why: Adapters learn to compensate for the quantisation error of the weights they are trained on. Weights quantised by
another method have other errors, so part of the gain from training is lost.

Example:

    hyperparameters: {method: qlora, bnb_quant_type: nf4}
    deployment: {quantization: gptq, model: "s3://bucket/deepseek-r1-qwen-32b-gptq/"}

Instead:

    hyperparameters: {method: qlora, bnb_quant_type: nf4}
    deployment: {quantization: nf4}

References:

    https://arxiv.org/abs/2310.08659
    https://arxiv.org/abs/2309.14717
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING)

COARSE = ("nf4", "fp4", "awq", "gptq")
"""4-bit formats; the error of formats with 8 bits or more is small in comparison."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding where `deployment.quantization` is a 4-bit format other than the one qlora trains on."""
    section = analysis.spec.deployment
    trained = analysis.plan.training.quantization
    if section is None or trained not in COARSE or section.quantization not in COARSE:
        return
    if section.quantization == trained:
        return
    yield RULE.at(
        ("deployment", "quantization"),
        f"the adapters are trained on {trained} weights, but served on {section.quantization} weights, whose rounding "
        "errors they have not learned to correct: answers may be worse than in the evaluation",
        f"set deployment.quantization to {trained}, or to none for 16-bit weights",
        confidence=Confidence.LIKELY,
    )
