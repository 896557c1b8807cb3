"""Saving a checkpoint may take longer than the notice of a spot interruption.

Why: EC2 gives two minutes' notice, of which the launcher leaves the ranks 115 seconds. The script finishes the current
micro-batch and saves the last complete update; a job that needs longer is killed, and repeats the work since its last
checkpoint after every interruption.

Example:

    instance: {spot: true, max_wait: 8h}
    hyperparameters: {save_steps: 20, modules_to_save: [lm_head]}
    deployment: null

Instead:

    instance: {spot: true, max_wait: 8h}
    hyperparameters: {save_steps: 20}
    deployment: null

References:

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StopTrainingJob.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.estimators.job.stop import GRACE_SECONDS
from hbspec.rules.rule import Rule
from hbspec.units import interval_text, seconds_text

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY)


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding where a spot job may stop too slowly, unless it saves nothing (HB307) or will not fit (HB109)."""
    plan = analysis.plan
    if not plan.spot or not plan.saves_every or analysis.deciding_memory.fullest.expected_to_fail:
        return
    takes = analysis.stop.total
    if takes.high > GRACE_SECONDS:
        yield RULE.at(
            ("instance", "spot"),
            f"the current micro-batch and a checkpoint are predicted to take {interval_text(takes, seconds_text)}, "
            f"but an interruption leaves {GRACE_SECONDS} s to stop",
            _action(analysis),
        )


def _action(analysis: Analysis) -> str:
    stop, training = analysis.stop, analysis.plan.training
    if stop.micro_batch.high > stop.checkpoint.high and training.micro_batch > 1:
        return "lower per_device_batch_size, and raise gradient_accumulation_steps by the same factor"
    return "set spot: false, or lower save_steps until the repeated work costs less than spot saves"
