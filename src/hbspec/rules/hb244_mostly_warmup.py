"""More than half of the run is warm-up.

Why: The learning rate reaches its peak only in the second half, and has to fall from there in what is left: most
updates are taken at a fraction of the rate that was chosen. Recipes warm up for 3 to 10 percent of the run. Often a
number of updates was kept when the run was shortened, or a percentage was written as a share.

Example:

    hyperparameters: {max_steps: 300, warmup_ratio: 0.9}

Instead:

    hyperparameters: {max_steps: 300, warmup_ratio: 0.1}

References:

    https://huggingface.co/docs/transformers/main_classes/optimizer_schedules
    https://github.com/gaoyixu/CAIL2020-Argument-Mining/issues/1
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.plan.counts import updates_between
from hbspec.rules.causes import Beside
from hbspec.rules.rule import Rule, plain

RULE = Rule(__name__, Severity.WARNING, beside=(Beside("HB225"),))
MOST = 0.5
"""Share of the updates. Inside: the 10 percent of LLaMA-Factory and alignment-handbook, unsloth's 5 updates of 60."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the warm-up with half of the updates; HB202 judges one as long as the run."""
    given = analysis.spec.hyperparameters
    key = "warmup_ratio" if given.warmup_steps is None else "warmup_steps"
    asked = getattr(given, key)
    if not asked or (key == "warmup_ratio" and asked == 1) or given.lr_scheduler_type == "constant":
        return
    if key == "warmup_ratio" and asked <= MOST:
        return
    steps = analysis.plan.updates
    warmup = updates_between(asked, steps)
    if MOST * steps < warmup < steps and warmup > 1:
        yield RULE.at(
            ("hyperparameters", key),
            f"{key} {plain(asked)} is {warmup} of the {steps} updates of the run, more than half",
            f"reduce {key}",
            instead=(None,),
        )
