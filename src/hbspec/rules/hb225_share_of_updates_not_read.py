"""A share of the updates is given to a transformers version that reads only whole numbers.

Why: `save_steps`, `eval_steps` and `logging_steps` below 1 are shares of all updates since transformers 4.29,
`warmup_steps` since 5.0. Before, a remainder of the update's number by the share decides, which floating-point errors
make arbitrary; `warmup_steps` of 0.1 is a tenth of one update, or is refused when the trainer is built.

Example:

    software: {transformers: 4.57.6}
    hyperparameters: {warmup_steps: 0.1}

Instead:

    software: {transformers: 4.57.6}
    hyperparameters: {warmup_steps: 30}

References:

    https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/training_args.py
    https://github.com/huggingface/transformers/blob/v4.28.1/src/transformers/trainer_callback.py
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Route, Severity
from hbspec.plan.epochs import SHARES_OF_UPDATES, WARMUP_SHARES
from hbspec.rules.rule import Rule, plain

RULE = Rule(__name__, Severity.ERROR)
KEYS = {
    "warmup_steps": WARMUP_SHARES,
    "eval_steps": SHARES_OF_UPDATES,
    "save_steps": SHARES_OF_UPDATES,
    "logging_steps": SHARES_OF_UPDATES,
}
"""Since when each key may be a share."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find shares that the version of transformers does not read; a custom loop reads what its author wants."""
    training = analysis.plan.training
    if training.own_loop:
        return
    version = dict(training.software)["transformers"]
    for key, epoch in KEYS.items():
        share = getattr(analysis.spec.hyperparameters, key)
        if share is None or not 0 < share < 1 or training.has(epoch):
            continue
        route: Route = ("hyperparameters", key)
        since = ".".join(map(str, epoch.since))
        ratio = key == "warmup_steps" and analysis.spec.hyperparameters.warmup_ratio is None
        yield RULE.at(
            route,
            f"{key} {plain(share)} is a share of the updates only since transformers {since}, not in {version}",
            f"use warmup_ratio: {plain(share)}" if ratio else f"set {key} to a whole number of updates",
            fixes=(Fix(f"delete {key}", route),),
        )
