"""FlashAttention is selected for a GPU that cannot run it.

Why: The kernels of FlashAttention-2 and 3 need compute capability 8.0 or above. On a T4 or V100 the first forward pass
ends with "FlashAttention only supports Ampere GPUs or newer", after the weights were loaded and paid for.

Example:

    model: {id: Qwen/Qwen2.5-7B}
    instance: {type: ml.g4dn.12xlarge}
    hyperparameters: {attn_implementation: flash_attention_2}

Instead:

    model: {id: Qwen/Qwen2.5-7B}
    instance: {type: ml.g4dn.12xlarge}
    hyperparameters: {attn_implementation: sdpa}

References:

    https://github.com/Dao-AILab/flash-attention/issues/762
    https://github.com/Dao-AILab/flash-attention/issues/1230
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity, known
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("hyperparameters", "attn_implementation")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find a flash kernel where the catalog says that the GPU does not run it."""
    chosen = analysis.spec.hyperparameters.attn_implementation
    if chosen is None or "flash" not in chosen:
        return
    gpu = analysis.plan.require("hardware").gpu
    if not known(gpu.flash_attention_2, f"whether {gpu.name} runs FlashAttention-2"):
        capability = ".".join(map(str, gpu.compute_capability)) if gpu.compute_capability else "unknown"
        yield RULE.at(
            ROUTE,
            f"{chosen} needs compute capability 8.0, but that of {gpu.name} is {capability}",
            "use attn_implementation: sdpa",
            fixes=(Fix("change it to sdpa", ROUTE, "sdpa"),),
        )
