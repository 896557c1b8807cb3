"""The typical request is longer than `max_model_len`.

Why: `max_model_len` limits prompt and answer together. The engine rejects a longer prompt, and cuts off an answer that
reaches the limit. Latency and cost are estimated for the typical request, which would never be served.

Example:

    deployment: {max_model_len: 1024, typical_input_tokens: 900, typical_output_tokens: 400}

Instead:

    deployment: {max_model_len: 2048, typical_input_tokens: 900, typical_output_tokens: 400}

References:

    https://docs.vllm.ai/en/latest/configuration/engine_args.html
    https://docs.vllm.ai/en/latest/configuration/conserving_memory.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule
from hbspec.units import count_text

RULE = Rule(__name__, Severity.WARNING)


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding where prompt (given or assumed) plus answer exceed `max_model_len` or the model's positions."""
    if analysis.spec.deployment is None:
        return
    plan = analysis.serving_plan
    prompt, answer = round(plan.input_tokens), round(plan.output_tokens or 0)
    if plan.max_model_len is None or prompt + answer <= plan.max_model_len:
        return
    asked = f"a typical request has {count_text(prompt)} + {count_text(answer)} tokens"
    positions = plan.architecture and plan.architecture.max_position_embeddings
    if positions and prompt + answer > positions:
        yield RULE.at(
            ("deployment", "typical_input_tokens"),
            f"{asked}, but the model has {count_text(positions)} positions",
            "lower typical_input_tokens, or use a model with more positions",
            instead=(None,),
        )
        return
    yield RULE.at(
        ("deployment", "max_model_len"),
        f"{asked}, but max_model_len is {count_text(plan.max_model_len)}",
        f"raise max_model_len to at least {count_text(prompt + answer)}",
    )
