"""A spot job that starts from nothing after every interruption.

Why: SageMaker takes a spot instance back with two minutes' notice and starts the job again. Only what was saved under
/opt/ml/checkpoints and synced to S3 survives; without it a long job may never end.

Example:

    instance: {spot: true, max_wait: 8h}

Instead:

    instance: {spot: true, max_wait: 8h}
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
    """Spot without a place for checkpoints, or without an interval between them."""
    spec = analysis.spec
    if not spec.instance.spot:
        return
    given = {
        "sagemaker.checkpoints": spec.sagemaker and spec.sagemaker.checkpoints,
        "hyperparameters.save_steps": spec.hyperparameters.save_steps,
    }
    missing = " and ".join(key for key, value in given.items() if not value)
    if missing:
        yield RULE.at(
            ("instance", "spot"),
            f"spot is true and {missing} is not given: an interruption loses everything",
            f"add {missing}",
        )
