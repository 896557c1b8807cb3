"""`liger` is enabled for a model with experts, whose kernels hbspec does not estimate.

Why: For dense models Liger replaces norms, rotations and MLPs by kernels whose memory hbspec knows. For experts it
brings kernels of its own, and for some models none at all: the estimate counts the experts as transformers runs them.

Example:

    model: {id: Qwen/Qwen3-30B-A3B}
    instance: {parallelism: fsdp}
    hyperparameters: {liger: true, method: lora, lora_dropout: 0.0, bnb_quant_type: null, bnb_double_quant: null}

Instead:

    model: {id: Qwen/Qwen3-30B-A3B}
    instance: {parallelism: fsdp}
    hyperparameters: {method: lora, lora_dropout: 0.0, bnb_quant_type: null, bnb_double_quant: null}

References:

    https://github.com/linkedin/Liger-Kernel
    https://huggingface.co/docs/transformers/main_classes/trainer
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("hyperparameters", "liger")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find `liger` with sparse layers."""
    if not analysis.plan.training.liger:
        return
    architecture = analysis.plan.require("architecture")
    if architecture.moe_layers:
        yield RULE.at(
            ROUTE,
            f"liger replaces the {architecture.num_experts} experts of {architecture.model_type}, and hbspec estimates "
            "only its kernels for dense models",
            "delete liger",
            fixes=(Fix("delete it", ROUTE),),
        )
