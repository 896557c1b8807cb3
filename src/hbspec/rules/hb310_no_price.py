"""The price of the instance is not known.

Why: Without a price no cost is computed and no budget is checked; an unknown price is never taken for zero.

Example:

    instance: {region: null}

Instead:

    instance: {region: us-east-1}

References:

    https://aws.amazon.com/sagemaker/ai/pricing/
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Route, Severity
from hbspec.rules.causes import Beside, same_route
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.NOTE, beside=(Beside("HB121", same_route), Beside("HB504", same_route)))


def check(analysis: Analysis) -> Iterator[Finding]:
    """Notes for the job's and the endpoint's instance; unknown types and regions have their own rules."""
    spec, catalog = analysis.spec, analysis.catalog
    if analysis.plan.price is None and spec.instance.type in catalog.training_types:
        yield from _not_known(analysis, ("instance", "type"), spec.instance.type, spec.instance.region)
    if spec.deployment is not None and analysis.serving_plan.price is None:
        served, region = spec.deployment.instance.type, analysis.serving_plan.region
        if served in catalog.hosting_types:
            yield from _not_known(analysis, ("deployment", "instance", "type"), served, region)


def _not_known(analysis: Analysis, route: Route, instance_type: str | None, region: str | None) -> Iterator[Finding]:
    row = analysis.catalog.instances.get(instance_type or "")
    elsewhere = row is not None and row.regions is not None and region not in row.regions
    if region is not None and (elsewhere or region not in analysis.catalog.regions):
        return
    where = f"in {region}" if region else "without a region"
    yield RULE.at(
        route,
        f"the price of {instance_type} {where} is not known, so no cost is computed",
        f"set {'.'.join(map(str, route[:-1]))}.{'price' if region else 'region'}",
    )
