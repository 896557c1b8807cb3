"""`lora_r` is larger than the `max_lora_rank` that the engine serves.

Why: Adapters above `max_lora_rank` are rejected by vLLM when it loads them, after the training was paid for. By default
the endpoint is compiled with the smallest rank that serves the adapters, at most 512.

Example:

    hyperparameters: {lora_r: 32}
    deployment: {adapters: separate, max_lora_rank: 16}

Instead:

    hyperparameters: {lora_r: 32}
    deployment: {adapters: separate}

References:

    https://docs.vllm.ai/en/latest/features/lora.html
    https://github.com/vllm-project/vllm/issues/2847
    https://github.com/unslothai/unsloth/issues/2097
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog.engines import lora_ranks
from hbspec.diagnostics import Finding, Fix, Route, Severity
from hbspec.rules.rule import Rule
from hbspec.spec.deployment import Deployment

LORA_R: Route = ("hyperparameters", "lora_r")
RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding where adapters served beside the base model exceed the engine's rank; merged ones have no rank."""
    if analysis.spec.deployment is None:
        return
    plan = analysis.serving_plan
    if plan.adapters != "separate" or plan.lora_r <= plan.max_lora_rank:
        return
    enough = next((rank for rank in lora_ranks() if rank >= plan.lora_r), None)
    lower = f"set lora_r to at most {lora_ranks()[-1]}, or merge the adapters"
    yield RULE.at(
        route := served_rank(analysis.spec.deployment),
        f"lora_r is {plan.lora_r}, but the engine serves ranks up to {plan.max_lora_rank}",
        f"set max_lora_rank to {enough}" if enough else lower,
        fixes=(Fix(f"set max_lora_rank to {enough}", route, enough),) if enough else (),
    )


def served_rank(deployment: Deployment) -> Route:
    """The route to change where the rank is too large: `max_lora_rank` if the spec has it, else `lora_r`."""
    return LORA_R if deployment.max_lora_rank is None else ("deployment", "max_lora_rank")
