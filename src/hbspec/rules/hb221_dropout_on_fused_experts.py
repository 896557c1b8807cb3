"""`lora_dropout` is above 0 for adapters on fused experts.

Why: Since transformers 5 a layer's experts are one parameter. peft adapts it by changing the parameter itself, where
dropout has no input to act on. It rejects every `lora_dropout` but zero when the adapters are created, after the
weights were loaded.

Example:

    model: {id: Qwen/Qwen3-30B-A3B}
    instance: {type: ml.p5en.48xlarge}
    hyperparameters: {method: lora, bnb_quant_type: null, bnb_double_quant: null, lora_dropout: 0.05}

Instead:

    model: {id: Qwen/Qwen3-30B-A3B}
    instance: {type: ml.p5en.48xlarge}
    hyperparameters: {method: lora, bnb_quant_type: null, bnb_double_quant: null, lora_dropout: 0.0}

References:

    https://huggingface.co/docs/peft/package_reference/lora
    https://github.com/modelscope/ms-swift/issues/6173
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog.parameters import TargetError
from hbspec.diagnostics import Finding, Fix, NotKnownError, Severity
from hbspec.plan.defaults import without_dropout
from hbspec.rules.rule import Rule, plain

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("hyperparameters", "lora_dropout")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find `lora_dropout`, set or by default, where targets are fused parameters."""
    training = analysis.plan.training
    if not training.adapters or not training.lora_dropout:
        return
    architecture = analysis.plan.require("architecture")
    try:
        fused = without_dropout(architecture, training.target_modules, dict(training.software)["transformers"])
    except TargetError as reason:
        raise NotKnownError(str(reason)) from reason
    if fused:
        yield RULE.at(
            ROUTE,
            f"lora_dropout {plain(training.lora_dropout)} cannot be applied to fused parameters: {', '.join(fused)}",
            "use lora_dropout: 0.0",
            fixes=(Fix("train them without dropout", ROUTE, 0.0),),
        )
