"""The endpoint's GPU does not support its number format.

Why: Engines do not start with bfloat16 before Ampere (compute capability 8.0). They reject fp8 before Ada (8.9), or
emulate it slowly, depending on their version. The GPU that trains is seldom the one that serves.

Example:

    deployment: {instance: {type: ml.g4dn.12xlarge}, dtype: bfloat16}

Instead:

    deployment: {instance: {type: ml.g4dn.12xlarge}, dtype: float16}

References:

    https://docs.vllm.ai/en/latest/features/quantization/index.html
    https://github.com/OpenBuddy/OpenBuddy/issues/45
    https://github.com/vllm-project/vllm/issues/8189
    https://github.com/vllm-project/vllm/issues/31387
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog import Gpu
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.plan.serving import with_each_instance
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)

FP8_CAPABILITY = (8, 9)
"""Ada; the first GPUs that compute in fp8 (https://docs.nvidia.com/cuda/cuda-c-programming-guide/)."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for `dtype`, `quantization` and `kv_cache_dtype`, on the endpoint's GPU and on its alternatives'."""
    section = analysis.spec.deployment
    if section is None:
        return
    for route, hardware, _ in with_each_instance(analysis.serving_plan, analysis.catalog, analysis.spec):
        alternative, gpu = "alternatives" in route, hardware.gpu
        where = f"the {gpu.name} of {hardware.name}"
        if section.dtype == "bfloat16" and gpu.bf16 is False:
            yield RULE.at(
                route if alternative else ("deployment", "dtype"),
                f"dtype is bfloat16, which {where} does not support",
                "set dtype to float16, or use a GPU of compute capability 8.0 or above",
                severity=Severity.WARNING if alternative else Severity.ERROR,
            )
        for key in ("quantization", "kv_cache_dtype"):
            if getattr(section, key) == "fp8" and _lacks_fp8(gpu):
                yield RULE.at(
                    route if alternative else ("deployment", key),
                    f"{key} is fp8, which {where} does not support: the engine rejects it, or emulates it slowly",
                    "use another format, or a GPU of compute capability 8.9 or above",
                    severity=Severity.WARNING,
                    confidence=Confidence.LIKELY,
                )


def _lacks_fp8(gpu: Gpu) -> bool:
    return gpu.compute_capability is not None and gpu.compute_capability < FP8_CAPABILITY
