"""`max_wait` is set, but the job does not use spot instances.

Why: SageMaker accepts `max_wait` for managed spot jobs only, and rejects any other. Perhaps `spot: true` was forgotten.

Example:

    instance: {max_wait: 8h}

Instead:

    instance: {max_wait: null}

References:

    https://github.com/Kenza-AI/sagify/issues/111
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StoppingCondition.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.rule import Rule
from hbspec.units import seconds_text

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding where an on-demand job has `max_wait`."""
    instance, route = analysis.spec.instance, ("instance", "max_wait")
    if instance.max_wait is not None and not instance.spot:
        yield RULE.at(
            route,
            f"max_wait is {seconds_text(instance.max_wait)}, but spot is false",
            "delete max_wait, or set spot: true",
            fixes=(Fix("delete max_wait", route, safe=True),),
        )
