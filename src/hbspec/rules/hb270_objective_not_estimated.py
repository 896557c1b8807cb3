"""The memory and the time of the task are not estimated.

Why: Without these estimates nothing says whether the job fits on the GPUs, how long it runs, or what it costs: a job
that is told nothing else may still run out of memory. What the data and the settings are is checked all the same.
Where a server of its own generates for `grpo`, the memory of the GPUs that train is estimated, but not the time that
they wait for completions, nor what the server costs.

Example:

    task: dpo
    data: {type: preference}
    script: {entry_point: finetune.py}
    software: {trainer: loop}
    deployment: null

Instead:

    task: dpo
    data: {type: preference}
    script: {entry_point: finetune.py}
    software: {trainer: trl}
    deployment: null

References:

    https://huggingface.co/docs/trl/grpo_trainer
    https://huggingface.co/docs/trl/vllm_integration
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, NotKnownError, Severity
from hbspec.estimators.step.objectives import TASK, refuse_objective
from hbspec.plan.rollouts import SERVER
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find a task, or a way to train for it, that the estimates of memory and time do not count."""
    plan, task = analysis.plan, analysis.spec.task
    try:
        refuse_objective(plan.require("architecture"), plan.training, plan.offload)
    except NotKnownError as reason:
        if reason.route is None or plan.training.objective.next_token:
            raise
        at_task = reason.route == TASK
        yield RULE.at(
            reason.route,
            f"memory and time of task {task} are not known: they need {reason}",
            "measure the job on the GPUs at hand before you rent more" if at_task else "use what TRL's trainer runs",
        )
        return
    rollouts = plan.training.rollouts
    if rollouts is not None and rollouts.engine == SERVER and plan.measured_tokens_per_second is None:
        yield RULE.at(
            ("hyperparameters", "vllm_mode"),
            f"time and cost of task {task} are not known: vllm_mode is server, whose GPUs are not in the spec",
            "measure an update, and set calibration.tokens_per_second_per_gpu",
        )
