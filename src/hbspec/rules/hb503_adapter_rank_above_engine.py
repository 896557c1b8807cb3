"""The adapters have a larger rank than the engine serves.

Why: vLLM sets room aside for adapters of rank 16 unless told otherwise and refuses larger ones when they are loaded,
which is after the training was paid for.

Example:

    hyperparameters: {lora_r: 32}
    deployment: {adapters: separate}

Instead:

    hyperparameters: {lora_r: 32}
    deployment: {adapters: separate, max_lora_rank: 32}

References:

    https://docs.vllm.ai/en/latest/features/lora.html
    https://github.com/vllm-project/vllm/issues/2847
    https://github.com/unslothai/unsloth/issues/2097
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.plan.training import DEFAULT_RANK
from hbspec.rules.causes import Beside, at_its_cause
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR, beside=(Beside("HB208", at_its_cause),))

RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM's `--max-lora-rank` accepts (https://github.com/huggingface/trl/pull/6007)."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Adapters served beside the base model; merged ones have no rank any more."""
    if analysis.spec.deployment is None:
        return
    plan = analysis.serving_plan
    if plan.adapters != "separate" or plan.lora_r <= plan.max_lora_rank:
        return
    route, default = ("deployment", "max_lora_rank"), analysis.spec.deployment.max_lora_rank is None
    enough = next((rank for rank in RANKS if rank >= plan.lora_r), None)
    yield RULE.at(
        route,
        f"lora_r is {plan.lora_r}, the engine serves up to rank {plan.max_lora_rank}{' by default' if default else ''}",
        f"set max_lora_rank to {enough}" if enough else f"train with lora_r of at most {RANKS[-1]}, or serve merged",
        fixes=(Fix(f"set it to {enough}", route, enough),) if enough else (),
        cause=("hyperparameters", "lora_r") if plan.max_lora_rank >= DEFAULT_RANK else None,
    )
