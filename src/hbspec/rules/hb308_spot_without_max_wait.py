"""`max_wait` is missing for a spot job.

Why: SageMaker rejects a managed spot job that does not limit how long it may wait and run in total.

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
from hbspec.catalog.limits import DEFAULT_RUNTIME_SECONDS
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule
from hbspec.units import seconds_text

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding where a spot job has no `max_wait`."""
    instance = analysis.spec.instance
    if instance.spot and instance.max_wait is None:
        runtime = instance.max_runtime or DEFAULT_RUNTIME_SECONDS
        yield RULE.at(
            ("instance", "spot"),
            "spot is true, but max_wait is not set",
            f"set instance.max_wait, the limit on waiting and running, to at least {seconds_text(runtime)}",
        )
