"""Evaluations or checkpoints take more than twice the time of the training itself.

Why: An interval of one or a few updates evaluates the same data, or writes the same weights and states, hundreds of
times: most of what is paid for is not training. The time is that of the estimate, and twice the training is the limit:
recipes evaluate and save a few times an epoch, and axolotl's for Gemma, 16 times, takes 1.7 of the training.

Example:

    hyperparameters: {eval_steps: 1}
    budget: null
    instance: {max_runtime: 24h}

Instead:

    hyperparameters: {eval_steps: 50}
    budget: null
    instance: {max_runtime: 24h}

References:

    https://huggingface.co/docs/transformers/main_classes/trainer
    https://github.com/axolotl-ai-cloud/axolotl/blob/main/docs/config.qmd
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.plan.counts import updates_between
from hbspec.rules.rule import Rule, plain
from hbspec.units import Interval, seconds_text

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY)
NONE = Interval.exact(0)
WHAT = {"eval_steps": "evaluations", "save_steps": "checkpoints"}
MOST = 2
"""Times the training that evaluations or checkpoints may take."""
OFTEN = 4
"""Times in a run that are not too many: where these outweigh training too, the interval is not what is wrong."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare phases: evaluations are as uncertain as steps; checkpoints count at their least, steps at their most."""
    given = analysis.spec.hyperparameters
    if given.eval_steps is None and given.save_steps is None:
        return
    phases = analysis.time.phases
    steps = phases["steps"]
    beside = {
        "eval_steps": ("about", phases.get("evaluation", NONE).expected, steps.expected),
        "save_steps": ("at least", phases.get("checkpoints", NONE).low, steps.high),
    }
    for key, (about, seconds, training) in beside.items():
        every, updates = getattr(given, key), analysis.plan.updates
        if every is None or seconds <= MOST * training:
            continue
        share = updates_between(every, updates) * OFTEN / updates  # of the time that `OFTEN` in the run would take
        if share <= 1 and seconds * share <= training:
            usual = max(1, updates // OFTEN)
            yield RULE.at(
                ("hyperparameters", key),
                f"{key} is {plain(every)}: {WHAT[key]} take {about} {seconds_text(seconds)}, but training "
                f"{'at most' if key == 'save_steps' else about} {seconds_text(training)}",
                f"use {key}: {usual}",
                instead=(usual, given.eval_steps, None),
            )
