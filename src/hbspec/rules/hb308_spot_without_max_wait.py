"""A spot job without a limit on waiting.

Why: the service refuses a managed spot job that does not say how long it may wait and run together.

Example:

    instance: {spot: true}
    hyperparameters: {save_steps: 20}

Instead:

    instance: {spot: true, max_wait: 8h}
    hyperparameters: {save_steps: 20}

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-managed-spot-training.html
    https://github.com/aws/amazon-sagemaker-examples/issues/869
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Spot without `max_wait`."""
    instance = analysis.spec.instance
    if instance.spot and instance.max_wait is None:
        yield RULE.at(
            ("instance", "spot"),
            "spot is true and max_wait is not given",
            "add instance.max_wait: waiting and running together, at least max_runtime",
        )
