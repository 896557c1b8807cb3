"""`load_best_model_at_end` is set, but checkpoints and evaluations do not coincide.

Why: Only a checkpoint that was evaluated can be the best. The trainer refuses to start unless the job evaluates and
`save_steps` is a multiple of `eval_steps`.

Example:

    hyperparameters: {load_best_model_at_end: true, eval_steps: 50, save_steps: 75}

Instead:

    hyperparameters: {load_best_model_at_end: true, eval_steps: 50, save_steps: 100}

References:

    https://huggingface.co/docs/transformers/main_classes/trainer
    https://github.com/huggingface/transformers/pull/12786
    https://github.com/hiyouga/LlamaFactory/issues/8133
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find `load_best_model_at_end` without `eval_steps`, or with `save_steps` that is not a multiple of it."""
    given = analysis.spec.hyperparameters
    if not given.load_best_model_at_end:
        return
    if given.eval_steps is None:
        yield RULE.at(
            ("hyperparameters", "load_best_model_at_end"),
            "load_best_model_at_end compares evaluations, but eval_steps is not set",
            "set eval_steps",
        )
        return
    if given.save_steps is not None and given.save_steps % given.eval_steps:
        route, multiple = ("hyperparameters", "save_steps"), -(-given.save_steps // given.eval_steps) * given.eval_steps
        yield RULE.at(
            route,
            "load_best_model_at_end compares evaluated checkpoints only, "
            f"but save_steps ({given.save_steps}) is not a multiple of eval_steps ({given.eval_steps})",
            f"use save_steps: {multiple}",
            fixes=(Fix(f"save every {multiple} updates", route, multiple),),
        )
