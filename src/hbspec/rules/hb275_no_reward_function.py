"""GRPO has nothing to score completions by.

Why: GRPO learns from what functions of yours say of each completion. Without one, or where the file does not define it,
the job loads the model on the rented instance, and then stops.

Example:

    task: grpo
    data: {type: prompt_only, validation: null, tokens: {mean: 100, max: 180}}
    reward: {functions: [finetune.py:correct]}
    hyperparameters: {max_completion_length: 64, max_steps: 30}

Instead:

    task: dpo
    data: {type: preference}

References:

    https://huggingface.co/docs/trl/grpo_trainer#using-a-custom-reward-function
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.analysis.reward_code import functions_of
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule
from hbspec.source.attachments import AttachmentError

RULE = Rule(__name__, Severity.ERROR)
EXAMPLE = "name a function of yours in reward.functions, such as rewards.py:correct"


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find reward functions that are missing, or that their files do not define at the top."""
    spec = analysis.spec
    if spec.task != "grpo":
        return
    if spec.reward is None:
        if spec.script is None:
            yield RULE.at(("task",), "task is grpo, and reward.functions is not set", EXAMPLE)
        return
    for number, named in enumerate(spec.reward.functions):
        route = ("reward", "functions", number)
        path, _, name = named.rpartition(":")
        try:
            defined = functions_of(analysis.document, route, path)
        except AttachmentError as reason:
            yield RULE.at(route, str(reason), "name a file inside the project")
            continue
        if defined is None:
            yield RULE.at(route, f"`{path}` is not Python", "correct the file")
        elif name not in defined:
            known = ", ".join(sorted(defined)[:5]) or "nothing"
            yield RULE.at(route, f"`{path}` does not define {name} (it defines {known})", EXAMPLE)
