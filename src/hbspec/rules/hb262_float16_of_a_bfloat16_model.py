"""`fp16` is enabled for a model whose weights are bfloat16, on a GPU that supports bfloat16.

Why: float16 ends at 65,504. Activations and gradients of models that were trained in bfloat16 pass that in some layers,
and become infinite: Qwen2's, Qwen3's and Gemma's are known to. The gradient scaler then skips updates, or the loss is
not a number. bfloat16 has the range of float32, takes the same memory and needs no scaler.

Example:

    hyperparameters: {fp16: true}

Instead:

    hyperparameters: {bf16: true}

References:

    https://github.com/QwenLM/Qwen3/issues/670
    https://github.com/QwenLM/Qwen3/issues/868
    https://github.com/unslothai/unsloth/pull/4014
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.rules.causes import Beside
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY, beside=(Beside("HB210"), Beside("HB263")))
ROUTE = ("hyperparameters", "fp16")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find `fp16: true` where the weights are published in bfloat16 and the GPU computes in it."""
    if not analysis.spec.hyperparameters.fp16:
        return
    plan = analysis.plan
    gpu, architecture = plan.require("hardware").gpu, plan.require("architecture")
    if gpu.bf16 and architecture.torch_dtype == "bfloat16":
        yield RULE.at(
            ROUTE,
            f"fp16 is true, but the weights of {plan.model} are bfloat16, which the {gpu.name} supports",
            "use bf16: true instead of fp16",
        )
