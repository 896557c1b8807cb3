"""The region is not in the catalog.

Why: Offers and prices depend on the region. A misspelt region has neither, so availability and cost go unchecked, and
the request fails because the endpoint does not exist.

Example:

    instance: {region: us-east1}
    deployment: {region: us-east-1}

Instead:

    instance: {region: us-east-1}

References:

    https://docs.aws.amazon.com/general/latest/gr/sagemaker.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Fix, Route, Severity
from hbspec.rules.rule import Rule
from hbspec.spelling import nearest

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Look up `instance.region` and `deployment.region`; a warning, since the catalog may be older."""
    spec, regions = analysis.spec, analysis.catalog.regions
    named: list[tuple[Route, str | None]] = [(("instance", "region"), spec.instance.region)]
    if spec.deployment:
        named.append((("deployment", "region"), spec.deployment.region))
    for route, name in named:
        if name is not None and name not in regions:
            near = nearest(name, regions)
            yield RULE.at(
                route,
                f"region {name} is not in the catalog: its offers and prices are unknown",
                f"did you mean {near}?" if near else "check its spelling",
                fixes=(Fix(f"change it to {near}", route, near),) if near else (),
            )
