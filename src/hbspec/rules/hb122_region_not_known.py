"""A region that the catalog has not heard of.

Why: prices and offers are by region. A misspelled region has neither, so cost and availability go unjudged, and the
request fails for an endpoint that does not exist.

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
    """`instance.region` and `deployment.region`. Only a warning: a region may be newer than the catalog."""
    spec, regions = analysis.spec, analysis.catalog.regions
    named: list[tuple[Route, str | None]] = [(("instance", "region"), spec.instance.region)]
    if spec.deployment:
        named.append((("deployment", "region"), spec.deployment.region))
    for route, name in named:
        if name is not None and name not in regions:
            near = nearest(name, regions)
            yield RULE.at(
                route,
                f"the catalog knows neither an offer nor a price in {name}",
                f"did you mean {near}?" if near else "check its spelling",
                fixes=(Fix(f"change it to {near}", route, near),) if near else (),
            )
