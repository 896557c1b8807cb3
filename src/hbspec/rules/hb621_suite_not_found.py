"""The cases of an evaluation suite are a file that does not exist.

Why: The suite is run after the training, when the instance was paid for; without its cases it gives no score, and
nothing decides whether the model may be deployed.

Example:

    evaluation: [{suite: tool-usage, min_score: 0.9, data: ./suites/tool-usage.jsonl}]

Instead:

    evaluation: [{suite: tool-usage, min_score: 0.9, data: "s3://bucket/suites/tool-usage.jsonl"}]

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-foundation-model-evaluate.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Route, Severity
from hbspec.rules.rule import Rule
from hbspec.source.paths import UnreadablePathError, contained

RULE = Rule(__name__, Severity.WARNING)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for paths without a scheme that name neither a file nor a folder beside the file that wrote them."""
    document = analysis.document
    for index, suite in enumerate(analysis.spec.evaluation):
        if suite.data is None or ":" in suite.data:
            continue
        route: Route = ("evaluation", index, "data")
        base = document.origin(route)
        try:
            contained(suite.data, base, base, allow_outside=True)
        except UnreadablePathError as reason:
            if "is a folder" not in str(reason):
                yield RULE.at(route, str(reason), "give the path relative to this file, or an S3 URI")
