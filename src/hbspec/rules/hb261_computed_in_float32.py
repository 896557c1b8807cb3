"""The job computes in float32 on a GPU that has a faster 16-bit format.

Why: `bf16: false` without `fp16: true` does not leave the format to the script: matrix products are computed in
float32, which takes several times as long as on the tensor cores, and activations take twice the memory. Fine-tuning a
published model gains nothing from it.

Example:

    hyperparameters: {bf16: false}

Instead:

    hyperparameters: {bf16: true}

References:

    https://huggingface.co/docs/transformers/perf_train_gpu_one
    https://arxiv.org/abs/1710.03740
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.rule import Rule
from hbspec.units import significant

RULE = Rule(__name__, Severity.WARNING)
FASTER = 1.5
"""How much faster 16 bits have to be; the RTX 3090 is twice as fast with them, the T4 eight times."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find float32 that the author asked for by switching 16-bit formats off; weights in 16 bits compute in them."""
    plan, given, software = analysis.plan, analysis.spec.hyperparameters, analysis.spec.software
    if plan.training.compute_dtype != "float32" or software.weights_dtype in ("bfloat16", "float16"):
        return
    gpu = plan.require("hardware").gpu
    half, key = (gpu.bf16_flops, "bf16") if gpu.bf16 else (gpu.fp16_flops, "fp16")
    if not half or not gpu.fp32_flops or half <= FASTER * gpu.fp32_flops:
        return
    off = "bf16" if given.bf16 is not None else "fp16"
    yield RULE.at(
        ("hyperparameters", off),
        f"{off} is false, so the job computes in float32: {significant(gpu.fp32_flops / 1e12)} TFLOP/s on the "
        f"{gpu.name}, but {significant(half / 1e12)} with {key}",
        f"set {key}: true",
        fixes=(Fix(f"compute with {key}", ("hyperparameters", key), True),),
        instead=(None,),
    )
