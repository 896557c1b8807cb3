"""`lora_r` exceeds the width of an adapted module.

Why: The product of the two adapter matrices has at most the rank of the module's smaller side. A higher `lora_r` costs
memory and time for parameters that add nothing, and often `lora_alpha` was meant.

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
from hbspec.catalog.roles import is_linear
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule
from hbspec.units import count_text

RULE = Rule(__name__, Severity.WARNING)
GATE = 8
"""Width below which a module that nobody named is a gate: any usual rank is above it, and its adapter is tiny."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare `lora_r` with the smaller side of the narrowest adapted linear module; `all-linear` means no gates."""
    training = analysis.plan.training
    if not training.adapters:
        return
    targets = training.target_modules
    architecture = analysis.plan.require("architecture")
    adapted = [
        weight
        for weight in weights(architecture)
        if is_linear(weight, architecture)
        and (min(weight.rows, weight.columns) >= GATE if isinstance(targets, str) else weight.leaf in targets)
    ]
    narrowest = min(adapted, key=lambda weight: min(weight.rows, weight.columns), default=None)
    if narrowest and training.lora_r > min(narrowest.rows, narrowest.columns):
        yield RULE.at(
            ("hyperparameters", "lora_r"),
            f"lora_r {count_text(training.lora_r)} exceeds the smaller side of {narrowest.name} "
            f"({count_text(narrowest.rows)} x {count_text(narrowest.columns)})",
            f"set lora_r below {min(narrowest.rows, narrowest.columns)}",
            instead=(None,),
        )
