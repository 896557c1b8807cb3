"""The budget is not enforced: no `max_runtime` stops the job before it is spent.

Why: Without `max_runtime` SageMaker lets a job run for 24 hours, so a job that hangs is billed for a day.

Example:

    instance: {max_runtime: null}

Instead:

    instance: {max_runtime: 4h}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StoppingCondition.html
    https://github.com/aws/sagemaker-scikit-learn-container/issues/96
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog.limits import DEFAULT_RUNTIME_SECONDS
from hbspec.diagnostics import Finding, Severity
from hbspec.estimators.job.cost import most_it_can_cost
from hbspec.rules.rule import Rule
from hbspec.units import seconds_text

RULE = Rule(__name__, Severity.WARNING)


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding where a spec with a budget and an instance type has no `max_runtime`."""
    spec = analysis.spec
    if spec.budget is None or spec.instance.type is None or spec.instance.max_runtime is not None:
        return
    most = most_it_can_cost(analysis.plan._replace(max_runtime=DEFAULT_RUNTIME_SECONDS))
    yield RULE.at(
        ("instance",),
        f"max_runtime is not set: SageMaker stops the job after {seconds_text(DEFAULT_RUNTIME_SECONDS)}, "
        f"which cost {most}, but budget.max_cost is {spec.budget.max_cost}",
        "set instance.max_runtime",
    )
