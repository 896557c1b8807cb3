"""Evaluation is requested, but the spec has no validation data.

Why: The job starts, loads its data, finds no validation split and stops; or the best checkpoint is chosen without an
evaluation.

Example:

    data: {validation: null}
    hyperparameters: {eval_steps: 50}

Instead:

    hyperparameters: {eval_steps: 50}

References:

    https://huggingface.co/docs/transformers/main_classes/trainer
    https://github.com/huggingface/transformers/issues/12685
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find `eval_steps` or `load_best_model_at_end` without `data.validation`."""
    given = analysis.spec.hyperparameters
    if analysis.spec.data.validation is not None:
        return
    asked = {
        "eval_steps": given.eval_steps is not None,
        "evals_per_epoch": given.evals_per_epoch is not None,
        "eval_strategy": given.eval_strategy in ("steps", "epoch"),
        "load_best_model_at_end": bool(given.load_best_model_at_end),
    }
    key = next((name for name, holds in asked.items() if holds), None)
    if key is not None:
        yield RULE.at(
            ("hyperparameters", key),
            f"{key} needs evaluations, but data.validation is not set",
            f"set data.validation, or delete {key}",
        )
