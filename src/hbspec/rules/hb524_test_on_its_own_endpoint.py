"""An A/B test joins the endpoint that is named after the spec itself.

Why: The name of a spec is the name of its deployment: what it makes has that name as a tag, is updated by it, and is
deleted by its `teardown.sh`. A test on the endpoint of the same name would be one deployment with the baseline. The
tear-down of the test would then take the baseline's model and configuration for the test's own. A test is a deployment
beside the one that it joins.

Example:

    name: assistant
    deployment:
      ab_test: {endpoint: assistant, baseline: assistant-0a1b2c3d4e5f, candidate_weight: 0.1}

Instead:

    name: assistant-next
    deployment:
      ab_test: {endpoint: assistant, baseline: assistant-0a1b2c3d4e5f, candidate_weight: 0.1}

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-ab-testing.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find tests whose endpoint has the spec's name."""
    section = analysis.spec.deployment
    test = section.ab_test if section else None
    if test is not None and test.endpoint == analysis.spec.name:
        yield RULE.at(
            ("deployment", "ab_test", "endpoint"),
            f"the test joins endpoint {test.endpoint!r}, and the spec's own name is {analysis.spec.name!r} too",
            "give the spec another name than the endpoint's",
        )
