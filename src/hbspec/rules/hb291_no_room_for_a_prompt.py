"""Completions may be as long as prompt and completion together.

Why: In the shipped script `max_length` is the room of a prompt with its completion, of which `max_completion_length`
(512 by default) is kept for the completion. Where nothing is left for a prompt, every prompt is too long, and the
script refuses to start on the rented instance.

Example:

    task: grpo
    data: {type: prompt_only}
    reward: {functions: [finetune.py:train]}
    hyperparameters: {max_completion_length: 704}

Instead:

    task: dpo
    data: {type: preference}

References:

    https://huggingface.co/docs/trl/grpo_trainer
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
USUAL_COMPLETION = 512
"""`max_completion_length` of the shipped script."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare `max_completion_length` with `max_length`, in GRPO."""
    spec, training = analysis.spec, analysis.plan.training
    if spec.task != "grpo" or not spec.shipped or not training.capped:
        return
    given = spec.hyperparameters.max_completion_length
    longest = USUAL_COMPLETION if given is None else given
    if longest >= training.max_length:
        usual = " by default" if given is None else ""
        yield RULE.at(
            ("hyperparameters", "max_length" if given is None else "max_completion_length"),
            f"max_completion_length is {longest}{usual}, and max_length {training.max_length} holds the prompt as well",
            f"set max_completion_length below {training.max_length}, or max_length above {longest}",
            instead=(4 * longest if given is None else max(1, training.max_length // 2),),
        )
