"""Spot instances that are to be kept for another job.

Why: warm pools do not support managed spot training, so nothing is kept: the next job starts as cold as this one.

Example:

    instance: {spot: true, max_wait: 8h, keep_alive: 30m}
    hyperparameters: {save_steps: 20}

Instead:

    instance: {spot: true, max_wait: 8h, keep_alive: null}
    hyperparameters: {save_steps: 20}

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/train-warm-pools.html#train-warm-pools-considerations
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.rule import Rule
from hbspec.units import seconds_text

RULE = Rule(__name__, Severity.WARNING)


def check(analysis: Analysis) -> Iterator[Finding]:
    """`keep_alive` of a spot job."""
    instance, route = analysis.spec.instance, ("instance", "keep_alive")
    if instance.spot and instance.keep_alive:
        yield RULE.at(
            route,
            f"keep_alive is {seconds_text(instance.keep_alive)}, and spot is true: spot instances are not kept",
            "delete keep_alive, or set spot: false",
            fixes=(Fix("delete it", route, None),),
        )
