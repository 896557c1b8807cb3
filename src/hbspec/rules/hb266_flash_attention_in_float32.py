"""Flash attention is asked to compute in float32.

Why: The kernels of flash attention take float16 and bfloat16 only ("FlashAttention only support fp16 and bf16 data
type"): the first forward pass stops.

Example:

    hyperparameters: {bf16: false, attn_implementation: flash_attention_2} # hbspec: allow HB261

Instead:

    hyperparameters: {bf16: true, attn_implementation: flash_attention_2}

References:

    https://github.com/QwenLM/Qwen3/issues/406
    https://github.com/unslothai/unsloth/issues/827
    https://huggingface.co/docs/transformers/attention_interface
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.causes import Beside
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR, beside=(Beside("HB104"),))
ROUTE = ("hyperparameters", "attn_implementation")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find flash attention where neither autocast nor the weights are of 16 bits; a script may load them so."""
    training = analysis.plan.training
    if training.kernel != "flash_attention_2" or training.compute_dtype != "float32":
        return
    if analysis.spec.software.weights_dtype in ("bfloat16", "float16") or analysis.spec.software.autocast:
        return
    yield RULE.at(
        ROUTE,
        f"{training.attention} computes in float16 or bfloat16, but bf16 and fp16 are not set",
        "set bf16: true, or use attn_implementation: sdpa",
        severity=Severity.ERROR if analysis.spec.shipped else Severity.WARNING,
        fixes=(Fix("use sdpa", ROUTE, "sdpa"),),
    )
