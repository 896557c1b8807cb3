"""An adapter rank above the width of a module that it adapts.

Why: the product of two factors has no higher rank than its smaller side. What is above it is memory and time for
parameters that add nothing, and often `lora_alpha` was meant.

Example:

    hyperparameters: {target_modules: [k_proj], lora_r: 1536}
    deployment: null

Instead:

    hyperparameters: {target_modules: [k_proj], lora_r: 64}
    deployment: null

References:

    https://arxiv.org/abs/2106.09685
    https://huggingface.co/docs/peft/package_reference/lora
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog.parameters import weights
from hbspec.diagnostics import Finding, Severity, known
from hbspec.rules.rule import Rule
from hbspec.units import count_text

RULE = Rule(__name__, Severity.WARNING)


def check(analysis: Analysis) -> Iterator[Finding]:
    """`lora_r` against the smaller side of the narrowest linear module that gets an adapter."""
    training = analysis.plan.training
    if not training.adapters:
        return
    targets = training.target_modules
    adapted = [
        weight
        for weight in weights(known(analysis.architecture, "the model's architecture"))
        if weight.kind == "linear" and (isinstance(targets, str) or weight.leaf in targets)
    ]
    narrowest = min(adapted, key=lambda weight: min(weight.rows, weight.columns), default=None)
    if narrowest and training.lora_r > min(narrowest.rows, narrowest.columns):
        yield RULE.at(
            ("hyperparameters", "lora_r"),
            f"lora_r {count_text(training.lora_r)} is above the width of {narrowest.name}, "
            f"{count_text(narrowest.rows)} x {count_text(narrowest.columns)}",
            f"use a rank below {min(narrowest.rows, narrowest.columns)}",
            instead=(None,),
        )
