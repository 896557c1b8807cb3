"""`lora_alpha` scales the adapters by a factor far from 1.

Why: What an adapter adds is multiplied by `lora_alpha / lora_r`, or by `lora_alpha / sqrt(lora_r)` with `use_rslora`. A
factor of 1/64 makes the adapters learn as if the learning rate were that much lower; a factor of 64 lets the first
updates overthrow the model. Public recipes lie within the limits: 16/256 and 32/1 (TRL, LoRA Without Regret), 16/64
(QLoRA), 2 and 4 (most others), 256/sqrt(64) with rsLoRA.

Example:

    hyperparameters: {lora_r: 64, lora_alpha: 1}
    deployment: null

Instead:

    hyperparameters: {lora_r: 64, lora_alpha: 16}
    deployment: null

References:

    https://huggingface.co/docs/peft/package_reference/lora
    https://huggingface.co/docs/trl/main/en/lora_without_regret
    https://arxiv.org/abs/2312.03732
    https://github.com/OpenMOSS/MOSS-Audio/issues/20
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Fix, Route, Severity
from hbspec.rules.rule import Rule
from hbspec.units import significant

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY)

LEAST = 1 / 16
"""TRL's LoRA Without Regret: alpha 16 at rank 256."""
LEAST_OF_A_SMALL_ALPHA = 1 / 4
"""The least factor for an alpha of `SMALL_ALPHA` or less: 1 at rank 4; low factors otherwise come from high ranks."""
SMALL_ALPHA = 2
MOST = 16
"""Four times the 32/8 of many recipes."""
MOST_WITH_RSLORA = 32
"""The usual alpha of twice the rank, at rank 256."""
HIGH_RANK = 256
"""The highest rank of public recipes: above, the rank is called wrong rather than a usual alpha."""
USUAL_ALPHA = 32
"""An alpha that is not called too high at any rank: TRL's LoRA Without Regret has it at rank 1."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the factor with the limits, where the author set `lora_alpha` or `lora_r`."""
    given, training = analysis.spec.hyperparameters, analysis.plan.training
    if not training.adapters or (given.lora_alpha is None and given.lora_r is None):
        return
    alpha, rank = training.lora_alpha, training.lora_r
    factor = alpha / rank**0.5 if given.use_rslora else alpha / rank
    most = MOST_WITH_RSLORA if given.use_rslora else MOST
    least = LEAST_OF_A_SMALL_ALPHA if alpha <= SMALL_ALPHA else LEAST
    if least <= factor and (factor <= most or alpha <= USUAL_ALPHA):
        return
    too_high = factor < least and rank > HIGH_RANK and alpha > SMALL_ALPHA and given.lora_r is not None
    key = "lora_r" if given.lora_alpha is None or too_high else "lora_alpha"
    route: Route = ("hyperparameters", key)
    root = "the square root of " if given.use_rslora else ""
    off = f"above {most}" if factor > most else f"below {significant(least)}"
    usual = max(1, round(rank**0.5)) if given.use_rslora else rank
    yield RULE.at(
        route,
        f"lora_alpha {alpha:g} over {root}lora_r {rank} scales the adapters by {significant(factor)}, {off}",
        f"use lora_alpha: {usual}",
        fixes=(Fix(f"use lora_alpha {usual}", ("hyperparameters", "lora_alpha"), float(usual)),),
    )
