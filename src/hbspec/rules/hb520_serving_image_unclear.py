"""The name of the serving image does not say what is needed to start it, or contradicts the spec.

Why: The variables of the container are spelt as its engine reads them: `SM_VLLM_*` for AWS's images of vLLM, `OPTION_*`
for LMI (`djl-inference`). An engine ignores the other's, and starts without tensor parallelism, adapters and limits.
The host's driver has to support the image's CUDA release, which is read off the tag (`-cu130`): without it
`InferenceAmiVersion` is left out, and an image newer than the default host's driver does not start. vLLM since 0.28
quantises with bitsandbytes only where `vllm-bnb-plugin` is installed.

Example:

    sagemaker: {serving_image: "111122223333.dkr.ecr.us-east-1.amazonaws.com/assistant:7"}

Instead:

    sagemaker: {serving_image: "111122223333.dkr.ecr.us-east-1.amazonaws.com/vllm:0.27.1-mine-cu130"}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html
    https://github.com/aws/deep-learning-containers/issues/4990
    https://github.com/vllm-project/vllm/pull/43529
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog.engines import own_image
from hbspec.catalog.engines.facts import with_bitsandbytes
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.rules.causes import Beside, same_route
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING, beside=(Beside("HB640", same_route), Beside("HB641", same_route)))
ROUTE = ("sagemaker", "serving_image")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for an own image: another engine's name (an error), no engine, no CUDA release, no bitsandbytes."""
    section, account = analysis.spec.deployment, analysis.spec.sagemaker
    if section is None or account is None or account.serving_image is None:
        return
    said, plan = own_image(account.serving_image), analysis.serving_plan
    if said.engine is None and section.engine is None:
        message = f"the image's name does not say which engine it holds, so that variables are those of {plan.engine}"
        yield RULE.at(ROUTE, message, "add deployment.engine")
    elif said.engine is not None and said.engine != plan.engine:
        message = (
            f"deployment.engine is {plan.engine}, but the image's name says {said.engine}, which reads other variables"
        )
        action = f"set deployment.engine: {said.engine}"
        yield RULE.at(("deployment", "engine"), message, action, severity=Severity.ERROR, instead=(said.engine,))
    if said.cuda is None:
        message = "the image's tag does not say its CUDA release, so that InferenceAmiVersion is left out"
        yield RULE.at(ROUTE, message, "add the release to the tag, such as -cu130", confidence=Confidence.LIKELY)
    if (
        said.vllm is not None
        and plan.stored is None
        and plan.quantization == "nf4"
        and not with_bitsandbytes(said.vllm)
    ):
        message = f"quantization is nf4, but vLLM {said.vllm} has bitsandbytes only with vllm-bnb-plugin"
        yield RULE.at(ROUTE, message, "install vllm-bnb-plugin in the image", confidence=Confidence.LIKELY)
