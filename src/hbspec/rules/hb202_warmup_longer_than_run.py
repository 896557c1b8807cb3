"""The warm-up is as long as the run, or longer.

Why: The learning rate rises during the warm-up. A run that ends before its warm-up does never trains at the rate that
was chosen, and nothing reports it.

Example:

    hyperparameters: {max_steps: 300, warmup_steps: 300}

Instead:

    hyperparameters: {max_steps: 300, warmup_steps: 9}

References:

    https://huggingface.co/docs/transformers/main_classes/optimizer_schedules
    https://github.com/Morizeyao/GPT2-Chinese/issues/60
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.plan.counts import updates_between
from hbspec.rules.rule import Rule, plain

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare `warmup_steps`, or else `warmup_ratio`, with the updates of the run."""
    given, plan = analysis.spec.hyperparameters, analysis.plan
    if given.warmup_steps is None and given.warmup_ratio is None:
        return
    key = "warmup_ratio" if given.warmup_steps is None else "warmup_steps"
    asked = getattr(given, key)
    if key == "warmup_ratio" and asked == 1:
        yield _finding(key, "warmup_ratio 1", "all updates of the run")
        return
    steps = plan.updates
    if updates_between(asked, steps) >= steps:
        yield _finding(key, f"{key} {plain(asked)}", f"all {steps} updates of the run")


def _finding(key: str, warmup: str, run: str) -> Finding:
    return RULE.at(
        ("hyperparameters", key),
        f"{warmup} covers {run}: the learning rate never reaches its peak",
        f"reduce {key}",
        instead=(None,),
    )
