"""What is trained is stored in float16, and `fp16` trains with a gradient scaler.

Why: Gradients have the dtype of the weights, and the scaler of `fp16` refuses those of float16: the first update
stops with "Attempting to unscale FP16 gradients". Weights that are trained stay in float32, and autocast computes in
float16. FSDP1's own scaler and accelerate's upcast may save the job, and DeepSpeed has a scaler of its own.

Example:

    model: {id: Qwen/Qwen2.5-7B}
    instance: {type: ml.g4dn.12xlarge}
    hyperparameters: {fp16: true}
    software: {adapter_dtype: float16}

Instead:

    model: {id: Qwen/Qwen2.5-7B}
    instance: {type: ml.g4dn.12xlarge}
    hyperparameters: {fp16: true}
    software: {adapter_dtype: float32}

References:

    https://github.com/huggingface/transformers/issues/30559
    https://github.com/pytorch/pytorch/blob/v2.13.0/torch/amp/grad_scaler.py
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Route, Severity
from hbspec.plan.parallelism import Engine
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find a stated float16 of what is trained, where a trainer of transformers or TRL scales gradients."""
    plan = analysis.plan
    training, engine = plan.training, plan.way.engine
    scaled = training.compute_dtype == "float16" and training.autocast and not training.own_loop
    if not scaled or engine is Engine.DEEPSPEED:
        return
    key = "adapter_dtype" if training.adapters else "weights_dtype"
    if getattr(training, key) != "float16":
        return
    route: Route = ("software", key)
    trained = "adapters" if training.adapters else "weights"
    yield RULE.at(
        route,
        f"{key} is float16, but fp16 scales gradients, and the scaler refuses those of float16 {trained}",
        f"set software.{key}: float32, or use bf16",
        severity=Severity.WARNING if engine is Engine.FSDP else Severity.ERROR,
        fixes=(Fix("store them in float32", route, "float32"),),
    )
