"""A spot job saves no checkpoints, so every interruption restarts it from the beginning.

Why: SageMaker takes a spot instance back at two minutes' notice and restarts the job. Only files under
/opt/ml/checkpoints survive: they are copied to the job's folder in S3. Without checkpoints a long job may never finish.
The shipped script saves every 50 updates by default; how often another script saves is known only to its author.

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
    """A finding where a spot job has no `save_steps`, given or by default."""
    if analysis.spec.instance.spot and not analysis.plan.saves_every:
        yield RULE.at(
            ("instance", "spot"),
            "spot is true, but hyperparameters.save_steps is not set: an interruption loses all work",
            "save checkpoints to /opt/ml/checkpoints in your script, and set hyperparameters.save_steps",
        )
