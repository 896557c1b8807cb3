"""The window of `monitoring.loss` decides nothing in this run.

Why: A loss is compared with that of `decreasing_over` updates before. In a run that has fewer updates the comparison is
never made, and the alarm never fires. A window of one update, or one that ends before the next log line, compares noise
or nothing: the losses of two batches differ more than training changes them.

Example:

    monitoring: {loss: {decreasing_over: 3000 steps}}

Instead:

    monitoring: {loss: {decreasing_over: 100 steps}}

References:

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
    https://huggingface.co/docs/transformers/main_classes/trainer
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.plan.counts import updates_between
from hbspec.rules.rule import Rule
from hbspec.units import count_text

RULE = Rule(__name__, Severity.WARNING)
SHORTEST = 2
"""Updates: a window of one compares each batch with the one before. Public recipes log every 1 to 10 updates
(alignment-handbook 1, TRL's examples 10), and no window below two log lines can be filled."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the window with the updates of the run, and with the distance between two log lines."""
    monitoring = analysis.spec.monitoring
    window = monitoring.loss.decreasing_over if monitoring and monitoring.loss else None
    if window is None:
        return
    updates, given = analysis.plan.updates, analysis.spec.hyperparameters.logging_steps
    logged = updates_between(given, updates) if given is not None else 1
    key = f"monitoring.loss.decreasing_over, {count_text(window)}{' update' if window == 1 else ' updates'},"
    if window > updates:
        said, most = f"{key} exceeds the {count_text(updates)} updates of the run: the alarm never fires", updates
        action = f"set monitoring.loss.decreasing_over to at most {count_text(most)} steps"
    elif window < logged:
        said = f"{key} is shorter than logging_steps, {count_text(logged)}: no two losses are logged within it"
        action = f"set monitoring.loss.decreasing_over to at least {count_text(SHORTEST * logged)} steps"
    elif window < SHORTEST:
        said = f"{key} compares the losses of two batches, whose noise exceeds what an update changes"
        action = "set monitoring.loss.decreasing_over to a tenth of the run or more"
    else:
        return
    yield RULE.at(("monitoring", "loss", "decreasing_over"), said, action)
