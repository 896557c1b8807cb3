"""The shipped script does not go on from `model.adapter` in this job.

Why: Adapters stand beside frozen weights. Where all weights are trained nothing would read them, a reward model needs a
head that adapters of a language model do not have, and ZeRO-3 cuts weights up before adapters are loaded into them. The
script refuses each at its start, on the rented instance.

Example:

    model: {adapter: someone/adapters}
    task: reward
    data: {type: preference}

Instead:

    model: {adapter: null}
    task: reward
    data: {type: preference}

References:

    https://huggingface.co/docs/peft/developer_guides/checkpoint
    https://huggingface.co/docs/trl/reward_trainer
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
MERGE = "merge the adapters into the model first, and delete model.adapter"


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find initial adapters of a job that trains all weights, a reward model, or under ZeRO-3."""
    spec, plan = analysis.spec, analysis.plan
    if spec.model.adapter is None or not spec.shipped:
        return
    if not plan.training.adapters:
        reason, action = "method is full, which trains no adapters", f"set method to lora, or {MERGE}"
    elif spec.task == "reward":
        reason, action = "task is reward, whose head they do not have", MERGE
    elif plan.parallelism == "zero3":
        reason, action = "parallelism is zero3, under which they are not loaded", "set parallelism to zero2 or fsdp"
    else:
        return
    yield RULE.at(("model", "adapter"), f"adapter is {spec.model.adapter}, but {reason}", action, instead=(None,))
