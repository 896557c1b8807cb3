"""Adapters that were trained on 4-bit weights are served on weights that are quantised otherwise.

Why: adapters learn to undo the error of the weights that they were trained on. Weights quantised by another method err
elsewhere, so the adapters correct what is not wrong and leave what is; part of what training gained is lost.

Example:

    hyperparameters: {method: qlora, bnb_quant_type: nf4}
    deployment: {quantization: gptq}

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
"""Weights in 4 bits; the error of 8 and more is small beside theirs."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """`deployment.quantization` against what `method: qlora` trains on."""
    section = analysis.spec.deployment
    trained = analysis.plan.training.quantization
    if section is None or trained not in COARSE or section.quantization not in COARSE:
        return
    if section.quantization == trained:
        return
    yield RULE.at(
        ("deployment", "quantization"),
        f"the adapters are trained on {trained} weights and served on {section.quantization} weights",
        f"serve on {trained} or unquantised weights, or evaluate the endpoint before its release",
        confidence=Confidence.LIKELY,
    )
