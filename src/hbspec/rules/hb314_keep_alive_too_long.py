"""A warm pool that SageMaker does not keep that long.

Why: instances are kept for six hours at most, and billed while they are kept; a longer `keep_alive` is refused.

Example:

    instance: {keep_alive: 7h}

Instead:

    instance: {keep_alive: 10m}

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/train-warm-pools.html
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog.limits import MAX_KEEP_ALIVE_SECONDS
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.rule import Rule
from hbspec.units import seconds_text

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """`keep_alive` above six hours."""
    kept, route = analysis.spec.instance.keep_alive, ("instance", "keep_alive")
    if kept is not None and kept > MAX_KEEP_ALIVE_SECONDS:
        yield RULE.at(
            route,
            f"keep_alive is {seconds_text(kept)}, SageMaker's limit is {seconds_text(MAX_KEEP_ALIVE_SECONDS)}",
            "lower it to 6h or less",
            fixes=(Fix("lower it to 6h", route, "6h"),),
        )
