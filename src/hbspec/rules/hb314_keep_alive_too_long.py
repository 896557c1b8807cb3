"""`keep_alive` is longer than SageMaker allows.

Why: A warm pool is kept for six hours at most, and billed all the while; SageMaker rejects a longer `keep_alive`.

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
    """A finding where `keep_alive` is above six hours."""
    kept, route = analysis.spec.instance.keep_alive, ("instance", "keep_alive")
    if kept is not None and kept > MAX_KEEP_ALIVE_SECONDS:
        yield RULE.at(
            route,
            f"keep_alive is {seconds_text(kept)}, but SageMaker allows at most {seconds_text(MAX_KEEP_ALIVE_SECONDS)}",
            "set keep_alive to at most 6h",
            fixes=(Fix("set keep_alive to 6h", route, "6h"),),
        )
