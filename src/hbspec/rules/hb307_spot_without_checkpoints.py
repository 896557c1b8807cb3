"""A spot job that starts from nothing after every interruption.

Why: SageMaker takes a spot instance back with two minutes' notice and starts the job again. Only what was saved under
/opt/ml/checkpoints survives, which is copied to S3, to the job's own folder; without it a long job may never end. The
shipped script saves every 50 updates unless told otherwise; how often another script saves, only its author knows.

Example:

    instance: {spot: true, max_wait: 8h}
    script: {entry_point: base.yaml}

Instead:

    instance: {spot: true, max_wait: 8h}
    script: {entry_point: base.yaml}
    hyperparameters: {save_steps: 20}

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-managed-spot-training.html
    https://github.com/aws/sagemaker-python-sdk/issues/1040
    https://github.com/Boise-State-Development/agentcore-public-stack/pull/1025
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Spot without an interval between checkpoints."""
    if analysis.spec.instance.spot and not analysis.plan.training.save_steps:
        yield RULE.at(
            ("instance", "spot"),
            "spot is true and hyperparameters.save_steps is not given: an interruption loses everything",
            "save checkpoints to /opt/ml/checkpoints and give hyperparameters.save_steps",
        )
