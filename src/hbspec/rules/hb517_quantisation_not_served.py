"""The serving engine cannot make this quantisation of the weights.

Why: While it loads 16-bit weights, vLLM quantises to nf4 (by bitsandbytes, which is always 4 bits wide there) or to
fp8; `int8` and `fp4` would be served as nf4, of another size and another accuracy than the estimate's. LMI 27's image
(vLLM 0.23) has no bitsandbytes, so that it makes fp8 alone. Weights that are stored so are served by their own config:
name them in `deployment.model`.

Example:

    deployment: {quantization: int8}

Instead:

    deployment: {quantization: fp8, instance: {type: ml.g6.12xlarge}}

References:

    https://docs.vllm.ai/en/latest/features/quantization/bnb/
    https://github.com/vllm-project/vllm/pull/43529
    https://github.com/deepjavalibrary/djl-serving/blob/master/serving/docker/lmi-container-requirements.txt
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("deployment", "quantization")

NOT_MADE = {"int8": 8, "fp4": 4}
"""Quantisations that training knows and no engine makes while it loads, with their bits."""
BITSANDBYTES = ("nf4", "fp4", "bnb-4bit", "bitsandbytes")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for int8 and fp4 of 16-bit weights, and for bitsandbytes in LMI's image; an own image may have it."""
    section, account = analysis.spec.deployment, analysis.spec.sagemaker
    if section is None:
        return
    plan, said = analysis.serving_plan, section.quantization
    if plan.stored is None and said in NOT_MADE and not (plan.adapters == "merged" and not analysis.spec.shipped):
        yield RULE.at(
            ROUTE,
            f"quantization is {said}, but vLLM makes nf4 (4 bits) and fp8 (8 bits) only of the 16-bit weights it loads",
            f"set quantization: {'fp8' if NOT_MADE[said] == 8 else 'nf4'}, or name {said} weights in deployment.model",
            instead=("nf4", "fp8", "none"),
        )
    elif plan.engine == "djl-lmi" and (plan.stored or said) in BITSANDBYTES and not (account and account.serving_image):
        yield RULE.at(
            ROUTE,
            f"quantization is {said}, which bitsandbytes computes, but engine is djl-lmi, whose image lacks it",
            "set engine: vllm, or quantization: fp8",
            instead=("none", "fp8"),
        )
