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
from hbspec.plan import Training
from hbspec.rules.rule import Rule, plain

RULE = Rule(__name__, Severity.ERROR)
SHARE_UNIT = 1_000_000
"""`LARGE_MULTIPLIER` of transformers 5.23.0."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find `load_best_model_at_end` without `eval_steps`, or with `save_steps` that is not a multiple of it."""
    given = analysis.spec.hyperparameters
    if not given.load_best_model_at_end:
        return
    if given.eval_steps is None and given.evaluated_per_epoch is None:
        yield RULE.at(
            ("hyperparameters", "load_best_model_at_end"),
            "load_best_model_at_end compares evaluations, but neither eval_steps nor evals_per_epoch is set",
            "set eval_steps, or evals_per_epoch",
        )
        return
    if given.eval_steps is None or given.saved_per_epoch is not None:
        yield from _by_epochs(analysis)
    elif given.save_steps is not None and not _meet(given.save_steps, given.eval_steps, analysis.plan.training):
        route, every = ("hyperparameters", "save_steps"), given.eval_steps
        shares = min(every, given.save_steps) < 1
        multiple = every if shares else -(-given.save_steps // every) * every
        yield RULE.at(
            route,
            "load_best_model_at_end compares evaluated checkpoints only, "
            f"but save_steps ({plain(given.save_steps)}) is not a multiple of eval_steps ({plain(every)})",
            f"use save_steps: {plain(multiple)}",
            fixes=(Fix(f"use {plain(multiple)}", route, multiple),),
        )


def _by_epochs(analysis: Analysis) -> Iterator[Finding]:
    """Where epochs say when: the updates between checkpoints, a multiple of those between evaluations or not."""
    given, training = analysis.spec.hyperparameters, analysis.plan.training
    every, save = training.eval_steps, training.save_steps
    if every is None or save is None or save % every == 0:
        return
    keys = ("save_strategy", "saves_per_epoch", "save_steps")
    key = next((key for key in keys if getattr(given, key) is not None), "load_best_model_at_end")
    yield RULE.at(
        ("hyperparameters", key),
        f"load_best_model_at_end compares evaluated checkpoints only, but a checkpoint is written every {plain(save)} "
        f"updates and an evaluation made every {plain(every)}",
        "set saves_per_epoch and evals_per_epoch to the same number",
    )


def _meet(save: float, evaluate: float, training: Training) -> bool:
    """Whether every checkpoint is evaluated.

    transformers refuses a share beside a number of updates, and compares two shares as multiples of a millionth; each
    is then rounded up to updates, which may part them again (5.23.0, `TrainingArguments.__post_init__`).
    """
    if (save < 1) != (evaluate < 1):
        return False
    if save < 1 and (save * SHARE_UNIT) % (evaluate * SHARE_UNIT):
        return False
    every, resolved = training.eval_steps, training.save_steps
    return every is None or resolved is None or every < 1 or resolved % every == 0
