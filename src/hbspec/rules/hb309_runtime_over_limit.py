"""`max_runtime` is longer than SageMaker allows.

Why: A training job may run for 28 days at most; SageMaker rejects a longer `max_runtime` when the job is created.

Example:

    instance: {max_runtime: 29d}
    budget: {max_cost: 20000 USD}

Instead:

    instance: {max_runtime: 28d}
    budget: {max_cost: 20000 USD}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StoppingCondition.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog.limits import MAX_RUNTIME_SECONDS
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.rule import Rule
from hbspec.units import seconds_text

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding where `max_runtime` is above 28 days."""
    limit, route = analysis.spec.instance.max_runtime, ("instance", "max_runtime")
    if limit is not None and limit > MAX_RUNTIME_SECONDS:
        yield RULE.at(
            route,
            f"max_runtime is {seconds_text(limit)}, but SageMaker allows at most {seconds_text(MAX_RUNTIME_SECONDS)}",
            "set max_runtime to at most 28d, and continue from a checkpoint in another job",
            fixes=(Fix("set max_runtime to 28d", route, "28d"),),
        )
