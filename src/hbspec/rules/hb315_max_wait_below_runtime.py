"""`max_wait` is shorter than `max_runtime`.

Why: `max_wait` covers waiting for capacity as well as running; SageMaker rejects one below `max_runtime`.

Example:

    instance: {spot: true, max_wait: 2h}
    hyperparameters: {save_steps: 20}

Instead:

    instance: {spot: true, max_wait: 8h}
    hyperparameters: {save_steps: 20}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StoppingCondition.html
    https://github.com/aws/sagemaker-python-sdk/issues/4140
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
    """A finding where `max_wait` is below `max_runtime`, or below SageMaker's default if that is not set."""
    instance = analysis.spec.instance
    if not instance.spot or instance.max_wait is None:
        return
    runtime = instance.max_runtime or DEFAULT_RUNTIME_SECONDS
    if instance.max_wait < runtime:
        whose = "max_runtime" if instance.max_runtime else "SageMaker's default max_runtime"
        yield RULE.at(
            ("instance", "max_wait"),
            f"max_wait is {seconds_text(instance.max_wait)}, shorter than {whose} ({seconds_text(runtime)})",
            f"set max_wait to at least {seconds_text(runtime)}",
        )
