"""`keep_alive` is set, but the job uses spot instances.

Why: Warm pools do not support managed spot training. No instance is kept, and the next job starts as cold as this one.

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
    """A finding where a spot job has `keep_alive`."""
    instance, route = analysis.spec.instance, ("instance", "keep_alive")
    if instance.spot and instance.keep_alive:
        yield RULE.at(
            route,
            f"keep_alive is {seconds_text(instance.keep_alive)}, but spot is true: spot instances are not kept",
            "delete keep_alive, or set spot: false",
            fixes=(Fix("delete keep_alive", route, None),),
        )
