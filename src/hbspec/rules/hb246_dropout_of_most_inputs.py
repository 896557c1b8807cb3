"""`lora_dropout` drops more than half of what the adapters read.

Why: `lora_dropout` is the share that is dropped, not the share that is kept. Adapters that see a tenth of their inputs,
ten times as large, learn slowly and from noise. Recipes use 0 to 0.1: QLoRA took 0.1 up to 13B and 0.05 above.

Example:

    hyperparameters: {lora_dropout: 0.95}

Instead:

    hyperparameters: {lora_dropout: 0.05}

References:

    https://arxiv.org/abs/2305.14314
    https://huggingface.co/docs/peft/package_reference/lora
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.rules.causes import Beside
from hbspec.rules.rule import Rule, plain

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY, beside=(Beside("HB221"),))
MOST = 0.5
"""The usual dropout of hidden layers in small networks, five times QLoRA's."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare `lora_dropout` with the limit."""
    dropout = analysis.spec.hyperparameters.lora_dropout
    if dropout is not None and dropout > MOST and analysis.plan.training.adapters:
        yield RULE.at(
            ("hyperparameters", "lora_dropout"),
            f"lora_dropout is {plain(dropout)}, above {plain(MOST)}: adapters read {1 - dropout:.0%} of their inputs",
            "use lora_dropout: 0.05",
            instead=(0.05,),
        )
